import { expect, test } from "vitest";
import { ruleCatalog } from "../../../bilevel/rules/catalog.ts";
import { tabularDynamics } from "./problem.ts";
import { inapplicableRules, refusalOf, tuneRules } from "./rules.ts";

test("the names are the catalog's, each once", () => {
  const names = [...Object.keys(tuneRules), ...Object.keys(inapplicableRules)];
  expect(new Set(names).size).toBe(names.length);
  expect(ruleCatalog.map(({ factory }) => factory)).toEqual(expect.arrayContaining(names));
});

test.each(Object.entries(tuneRules))("%s is written as it is made", (name, { make }) => {
  const sizes = { steps: 12, gradientSteps: 34, learningRate: 0.25 };
  const { call, rule } = make({ ...sizes, dynamics: tabularDynamics(true) });
  expect(call.startsWith(`${name}({ `)).toBe(true);
  const { forms } = ruleCatalog.find(({ factory }) => factory === name)!;
  expect(forms.map((form) => form.rule().name)).toContain(rule.name);
  const steps = /\bsteps: (\d+)/.exec(call)?.[1];
  if (steps !== undefined) expect(rule.innerSteps).toBeGreaterThanOrEqual(Number(steps));
});

test("truncation keeps a fifth of the steps, and at least one", () => {
  const made = (steps: number): string =>
    tuneRules["truncated"]!.make({
      steps,
      gradientSteps: 1,
      learningRate: 1,
      dynamics: tabularDynamics(true),
    }).call;
  expect(made(100)).toBe("truncated({ steps: 100, keep: 20 })");
  expect(made(4)).toBe("truncated({ steps: 4, keep: 1 })");
});

test.each([
  ["reverse", undefined],
  ["auto", undefined],
  ["implict", /^there is no rule "implict"; perhaps "implicit" is meant$/],
  ["stocbio", /^there is no rule "stocbio"; perhaps "stocBio" is meant$/],
  ["gradient descent", /^there is no rule "gradient descent"; the rules that apply are reverse, /],
  ["toString", /^there is no rule "toString"; /],
  ["implicitKkt", /^implicitKkt does not apply: it is for followers under constraints.*reverse, /],
] as const)("%s", (name, message) => {
  if (message === undefined) expect(refusalOf(name)).toBeUndefined();
  else expect(refusalOf(name)).toMatch(message);
});
