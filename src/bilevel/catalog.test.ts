/** The catalog against the rules themselves: none is missing, and what it says of cost and source is so. */
import { readFileSync } from "node:fs";
import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import type { Value } from "../program/ir.ts";
import { Program } from "../program/program.ts";
import { zeros } from "../program/tensor.ts";
import { ruleCatalog, ruleFamilies, needsInWords, type RuleForm } from "./catalog.ts";
import { bilevel } from "./index.ts";
import type { Cost } from "./rule.ts";

const forms = ruleCatalog.flatMap((entry) =>
  entry.forms.map((form) => ({ entry, form, label: `${entry.factory} ${form.option}`.trim() })),
);
const index = readFileSync(new URL("index.ts", import.meta.url), "utf8");

test("every exported rule is in the catalog, and nothing else", () => {
  const exported = exportedFactories(index);
  const listed = ruleCatalog.map(({ factory }) => factory);
  expect(exported.length).toBeGreaterThan(15);
  const missing = exported.filter((name) => !listed.includes(name));
  expect(
    missing,
    `rules without an entry in src/bilevel/catalog/: ${missing.join(", ")}; add one, then npm run docs:rules`,
  ).toEqual([]);
  const unknown = listed.filter((name) => !exported.includes(name));
  expect(
    unknown,
    `the catalog lists what src/bilevel/index.ts does not export as a rule: ${unknown.join(", ")}`,
  ).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});

test("factories are told from other exports by what they return", () => {
  const lines = [
    'export { reverse, type ReverseOptions } from "./rules/reverse.ts";',
    'export { slBamm, slBammLeaderRate } from "./rules/sl-bamm.ts";',
    'export { box } from "./projections.ts";',
  ];
  expect(exportedFactories(lines.join("\n"))).toEqual(["reverse", "slBamm"]);
});

test("the families come in order, and each has a rule", () => {
  const order = [...new Set(ruleCatalog.map(({ family }) => family))];
  expect(order).toEqual(Object.keys(ruleFamilies));
  for (const { family, factory, forms } of ruleCatalog) {
    if (family !== "without a unique inner solution") continue;
    for (const form of forms) expect(form.rule().needs.uniqueInnerSolution, factory).toBe(false);
  }
});

test("what a rule needs is said in words", () => {
  const none = {
    secondDerivatives: false,
    uniqueInnerSolution: false,
    strongConvexity: false,
    memory: "O(|w|)",
  };
  expect(needsInWords(none)).toBe("first derivatives");
  expect(needsInWords({ ...none, secondDerivatives: true })).toBe("second derivatives");
  const unique = { ...none, uniqueInnerSolution: true };
  expect(needsInWords(unique)).toBe("a unique inner solution");
  const strong = { ...unique, secondDerivatives: true, strongConvexity: true };
  expect(needsInWords(strong)).toBe("second derivatives, strong convexity");
});

describe.each(ruleCatalog)("$factory", ({ factory, file, source }) => {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");

  test("its file makes it, and names the same source", () => {
    const before = text.slice(0, text.indexOf(`\nexport function ${factory}(`));
    expect(before.length).toBeLessThan(text.length - 1);
    const comment = before.slice(before.lastIndexOf("/**"));
    const see = /@see ([^@]*?)\s*(?:\* @|\*\/)/.exec(comment)?.[1] ?? "";
    expect(see.replace(/\s*\n\s*\*\s*/g, " ").replace(/\.$/, "")).toBe(source);
  });
});

describe.each(forms)("$label", ({ entry, form }) => {
  test("the formulas of its cost give the counts of its instance", () => {
    const counted = costOf(form);
    const { reportGradients, reportProducts, ...told } = counted;
    expect(reportGradients, "the report's own work is apart").toBeGreaterThan(0);
    expect(reportProducts ?? 0).toBeGreaterThanOrEqual(0);
    const given = { ...form.sizes, "|w|": WEIGHTS, "|λ|": HYPERPARAMETERS };
    const keys = new Set([...Object.keys(told), ...Object.keys(form.cost)]);
    for (const key of keys as Set<keyof Cost>) {
      const formula = form.cost[key] ?? "0";
      expect(evaluate(formula, given), `${key} = ${formula}`).toBe(counted[key] ?? 0);
    }
  });

  test("its option is one of the instance's, and its inner steps are T", () => {
    const code = form.rule.toString();
    expect(code).toContain(entry.factory);
    for (const word of form.option.match(/[a-z]\w*(?=:)/gi) ?? []) expect(code).toContain(word);
    const { T = 1, Q = 1 } = form.sizes;
    expect(form.rule().innerSteps).toBe(Math.max(T, Q));
  });
});

test("formulas are read as they are written", () => {
  expect(evaluate("2·T + 1 − b", { T: 5, b: 4 })).toBe(7);
  expect(evaluate("(T/n + n)·|w|", { T: 12, n: 4, "|w|": 3 })).toBe(21);
  expect(() => evaluate("T·x", { T: 1 })).toThrow("x");
  expect(() => evaluate("2T", { T: 1 })).toThrow("T");
});

const WEIGHTS = 12;
const HYPERPARAMETERS = 3;

/** The counts of a form on a small problem: Σ e^λ Σ w² and the like, in float64. */
function costOf(form: RuleForm): Cost {
  const rule = form.rule();
  const problem = bilevel({
    inner: (w: np.Array, lambda: np.Array, d: np.Array) =>
      np
        .sum(np.square(w.sub(d)))
        .add(np.sum(np.exp(lambda)).mul(np.sum(np.square(w))))
        .mul(0.5),
    outer: (w: np.Array, lambda: np.Array, d: np.Array) =>
      np
        .sum(np.square(w.sub(d)))
        .add(np.sum(np.square(lambda)))
        .mul(0.5),
  });
  const program = new Program(rule.name);
  const leaf = (name: string, length: number): Value =>
    program.input(name, zeros([length], "float64")) as Value;
  const lambda = leaf("lambda", HYPERPARAMETERS);
  const w = leaf("w", WEIGHTS);
  const data = { inner: leaf("inner", WEIGHTS), outer: leaf("outer", WEIGHTS) };
  const state = program.call(rule.init as never, w, lambda);
  return rule.estimate(program, problem, { lambda, w, state, data }).cost;
}

/** Names exported from rules/ whose function returns a Rule. */
function exportedFactories(index: string): string[] {
  const lines = index.matchAll(/export \{([^}]*)\} from "\.\/(rules\/[^"]+)";/g);
  return [...lines].flatMap(([, names, file]) => {
    const text = readFileSync(new URL(file!, import.meta.url), "utf8");
    return names!
      .split(",")
      .map((name) => name.trim())
      .filter((name) => isFactory(text, name));
  });
}

function isFactory(text: string, name: string): boolean {
  const result = new RegExp(`export function ${name}\\([\\s\\S]*?\\): (\\w+)`).exec(text);
  return result?.[1] === "Rule";
}

/** A formula of numbers, letters, |w| and |λ| with + − · / and parentheses. */
function evaluate(formula: string, sizes: Readonly<Record<string, number>>): number {
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
