/** A call's text against its rule: what the text evaluates to builds the same program. */
import { runInThisContext } from "node:vm";
import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import * as linear from "../linear/index.ts";
import { fingerprintOfBytes } from "../program/tensors/fingerprint.ts";
import type { Value } from "../program/ir.ts";
import { Program } from "../program/program.ts";
import { zeros } from "../program/tensors/tensor.ts";
import * as bilevel from "./index.ts";
import * as rules from "./rules/index.ts";
import { planDrafts } from "./advise/plan-drafts.ts";
import { call, quotient, ruleCall, type Given, type RuleCall } from "./rule-call.ts";
import type { Rule } from "./rule.ts";

const { adam, box, bilevel: problemOf, gradientDescent, powerLaw } = bilevel;
const { conjugateGradient } = linear;
const { bda, iaptt, implicit, reverse, saba, slBamm, soba, truncated } = rules;

const given: Given = { dynamics: adam({ learningRate: 0.1 }), projection: box({ lower: -1 }) };
const rate = call({ powerLaw }, { initial: 0.1, power: quotient(-1, 3) });
const descent = call({ gradientDescent }, { learningRate: 1e-7 });

const calls: readonly (readonly [string, RuleCall, Given])[] = [
  ["reverse({ steps: 4 })", ruleCall({ reverse }, { steps: 4 }), given],
  [
    'reverse({ steps: 4, checkpoints: "sqrt" })',
    ruleCall({ reverse }, { steps: 4, checkpoints: "sqrt" }),
    given,
  ],
  [
    "reverse({ steps: 4, checkpoints: { slots: 2 } })",
    ruleCall({ reverse }, { steps: 4, checkpoints: { slots: 2 }, tolerance: undefined }),
    given,
  ],
  ["truncated({ steps: 4, keep: 1 })", ruleCall({ truncated }, { steps: 4, keep: 1 }), given],
  [
    "implicit({ steps: 4, solver: conjugateGradient({ maxSteps: 3, rtol: 0.0001 }) })",
    ruleCall(
      { implicit },
      { steps: 4, solver: call({ conjugateGradient }, { maxSteps: 3, rtol: 1e-4 }) },
    ),
    { dynamics: given.dynamics },
  ],
  [
    "bda({ steps: 4, dynamics: gradientDescent({ learningRate: 1e-7 }) })",
    ruleCall({ bda }, { steps: 4, dynamics: descent }),
    {},
  ],
  [
    "iaptt({ steps: 4, auxiliary: gradientDescent({ learningRate: 1e-7 }) })",
    ruleCall({ iaptt }, { steps: 4, auxiliary: descent }),
    given,
  ],
  [
    "soba({ learningRate: powerLaw({ initial: 0.1, power: -1 / 3 }) })",
    ruleCall({ soba }, { learningRate: rate }),
    {},
  ],
  [
    "saba({ learningRate: 0.3, batches: { inner: 1, outer: 1 } })",
    ruleCall({ saba }, { learningRate: 0.3, batches: { inner: 1, outer: 1 } }),
    {},
  ],
  ["slBamm()", ruleCall({ slBamm }, {}), {}],
  ...planDrafts({
    steps: 9,
    weights: 3,
    state: 3,
    hyperparameters: 2,
    bytes: 60,
    bytesPerFloat: 4,
    preparedFloats: 0,
    gradientsPerStep: 1,
    solverSteps: 7,
    gradientsPerProduct: 2,
    biased: true,
  }).map(({ call }) => [call.text, call, { dynamics: given.dynamics }] as const),
];

describe.each(calls)("%s", (text, call, given) => {
  test("is the text, and names the factory", () => {
    expect(call.text).toBe(text);
    expect(text.startsWith(`${call.factory}(`)).toBe(true);
  });

  test("evaluates to the rule", () => {
    expect(programOf(evaluate(call, given))).toBe(programOf(call.make(given)));
  });
});

test("other options are another program", () => {
  const [three, four] = [3, 4].map((steps) => ruleCall({ reverse }, { steps }).make(given));
  expect(programOf(three!)).not.toBe(programOf(four!));
});

test("what the factory refuses is thrown when the rule is made", () => {
  const wrong = ruleCall({ reverse }, { steps: 0 });
  expect(wrong.text).toBe("reverse({ steps: 0 })");
  expect(() => wrong.make(given)).toThrow("reverse: steps must be a whole number >= 1; 0 came.");
});

test("an option without a text is refused", () => {
  const { implicitKkt } = rules;
  expect(() => ruleCall({ implicitKkt }, { steps: 2, inequalities: (w: np.Array) => w })).toThrow(
    "implicitKkt: inequalities has no text: a number, a string, a boolean, an object of them or an expression is required.",
  );
});

test("numbers read back as they are", () => {
  for (const x of [0.1 + 0.2, 1e-300, -0, Infinity, -2.5e21]) {
    const { text } = call({ powerLaw }, { initial: x, power: -1 });
    const seen = runInThisContext(`(({ powerLaw }) => ${text})`) as (scope: object) => unknown;
    expect(Object.is(seen({ powerLaw: ({ initial }: { initial: number }) => initial }), x)).toBe(
      true,
    );
  }
});

/** The rule that a call's text makes where the given parts are known. */
function evaluate({ factory, text }: RuleCall, given: Given): Rule {
  const scope: Record<string, unknown> = { ...linear, ...bilevel, ...rules };
  const make = scope[factory] as (options: object | undefined) => Rule;
  const isAlone = Object.values(given).length === 0;
  scope[factory] = (options?: object) => make(isAlone ? options : { ...given, ...options });
  const names = Object.keys(scope).join(", ");
  return (runInThisContext(`(({ ${names} }) => ${text})`) as (scope: object) => Rule)(scope);
}

/** A fingerprint of the program of one estimate. */
function programOf(rule: Rule): string {
  const problem = problemOf({
    inner: (w: np.Array, lambda: np.Array) =>
      np.sum(np.square(w)).mul(np.sum(np.exp(lambda))).mul(0.5), // prettier-ignore
    outer: (w: np.Array, lambda: np.Array) =>
      np.sum(np.square(w.sub(1))).add(np.sum(np.square(lambda))),
  });
  const program = new Program("estimate");
  const lambda = program.input("lambda", zeros([2], "float64")) as Value;
  const w = program.input("w", zeros([3], "float64")) as Value;
  const state = program.call(rule.init as never, w, lambda);
  const data = { inner: [], outer: [] };
  const { value, gradient, report } = rule.estimate(program, problem as never, {
    lambda,
    w,
    state,
    data,
  });
  program.output("value", value);
  program.output("gradient", gradient);
  program.output("report", report);
  return fingerprintOfBytes(program.toOnnx());
}
