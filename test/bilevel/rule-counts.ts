/** The formulas of a catalog entry against the counts that its instance declares. */
import { numpy as np } from "@jax-js/jax";
import { expect } from "vitest";
import type { RuleForm } from "../../src/bilevel/rules/catalog.ts";
import { bilevel, type Cost } from "../../src/bilevel/index.ts";
import type { Value } from "../../src/program/ir.ts";
import { Program } from "../../src/program/program.ts";
import { zeros } from "../../src/program/tensors/tensor.ts";

/** Expects every count of the form's instance, but what the report needs, to be what the form's formula gives. */
export function expectCounts(form: RuleForm): void {
  const counted = costOf(form);
  const given: Record<string, number> = { "|w|": WEIGHTS, "|λ|": HYPERPARAMETERS };
  for (const [letter, size] of Object.entries(form.sizes)) {
    given[letter] = size === "|w|" ? WEIGHTS : size;
  }
  const keys = new Set([...Object.keys(counted), ...Object.keys(form.cost)] as (keyof Cost)[]);
  for (const key of keys) {
    if (key.startsWith("report")) continue;
    const formula = form.cost[key] ?? "0";
    expect(evaluateFormula(formula, given), `${key} = ${formula}`).toBe(counted[key] ?? 0);
  }
}

/** A formula of numbers, letters, |w| and |λ| with + − · / and parentheses. */
export function evaluateFormula(formula: string, sizes: Readonly<Record<string, number>>): number {
  const tokens = formula.match(/\d+|\|\p{L}+\||\p{L}+|\S/gu) ?? [];
  const next = (): string => tokens.shift() ?? "the end";
  const atom = (): number => {
    const token = next();
    if (/^\d/.test(token)) return Number(token);
    if (token === "(") {
      const value = sum();
      if (next() !== ")") throw new SyntaxError(`${formula}: a parenthesis is open`);
      return value;
    }
    const value = sizes[token];
    if (value === undefined) throw new SyntaxError(`${formula}: no size is given for ${token}`);
    return value;
  };
  const product = (): number => {
    let value = atom();
    while (tokens[0] === "·" || tokens[0] === "/") {
      value = next() === "·" ? value * atom() : value / atom();
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[0] === "+" || tokens[0] === "−") {
      value = next() === "+" ? value + product() : value - product();
    }
    return value;
  };
  const value = sum();
  if (tokens.length > 0) throw new SyntaxError(`${formula}: ${tokens.join("")} is left over`);
  return value;
}

const WEIGHTS = 12;
const HYPERPARAMETERS = 3;
const EXAMPLES = 64;

/** The counts of a form on a quadratic problem, whose objectives are means over the examples, in float64. */
function costOf(form: RuleForm): Cost {
  const rule = form.rule();
  const halfSquare = (x: np.Array): np.Array => np.sum(np.square(x)).mul(0.5);
  const problem = bilevel({
    ...(form.asksForInit && {
      init: (lambda: np.Array) => np.ones([WEIGHTS], { dtype: lambda.dtype }).mul(np.sum(lambda)),
    }),
    inner: (w: np.Array, lambda: np.Array, d: np.Array) =>
      np
        .sum(np.exp(lambda))
        .mul(halfSquare(w))
        .sub(np.mean(d).mul(np.sum(w))),
    outer: (w: np.Array, lambda: np.Array, d: np.Array) =>
      halfSquare(w.sub(np.mean(d))).add(halfSquare(lambda)),
  });
  const program = new Program(rule.name);
  const leaf = (name: string, length: number): Value =>
    program.input(name, zeros([length], "float64")) as Value;
  const lambda = leaf("lambda", HYPERPARAMETERS);
  const w = leaf("w", WEIGHTS);
  const data = { inner: leaf("inner", EXAMPLES), outer: leaf("outer", EXAMPLES) };
  const state = problem.init ? [] : program.call(rule.init as never, w, lambda);
  return rule.estimate(program, problem, { lambda, w, state, data }).cost;
}
