/** A warm start hides how the weights before the steps depend on λ: the report says so, and how much it estimates that to be. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  advise,
  bilevel,
  conjugateGradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  implicit,
  reverse,
  solve,
  truncated,
  type Rule,
} from "../../src/index.ts";
import { bda, forward, pzobo, realTime } from "../../src/bilevel/rules/index.ts";
import { flat, still } from "./evaluate.ts";
import { f64 } from "./small-problems.ts";

/** L = ½(w − λ)², E = ½(w − 3)²: at rest the exact hypergradient is λ − 3, and T steps of rate s see 1 − (1 − s)ᵀ of it. */
const problem = bilevel({
  inner: (w: np.Array, l: np.Array) => np.square(w.sub(l)).mul(0.5),
  outer: (w: np.Array) => np.square(w.sub(3)).mul(0.5),
});
afterAll(() => disposePrograms(problem));
const place = { lambda: f64(1), w: f64(0), data: { inner: [], outer: [] } };
const dynamics = gradientDescent({ learningRate: 0.01 });
const run = (rule: Rule, options: { start?: "cold"; steps?: number } = {}) =>
  solve(problem, {
    ...place,
    rule,
    optimizer: still,
    budget: { steps: options.steps ?? 400 },
    ...(options.start && { start: options.start }),
  });

describe.each([
  ["reverse", reverse({ steps: 5, dynamics }), 5],
  ["reverse, every second state kept", reverse({ steps: 5, dynamics, checkpoints: 2 }), 5],
  ["reverse, two slots", reverse({ steps: 5, dynamics, checkpoints: { slots: 2 } }), 5],
  ["forward, odd", forward({ steps: 5, dynamics }), 5],
  ["forward, even", forward({ steps: 4, dynamics }), 4],
  ["real time with reset", realTime({ steps: 5, dynamics, tangents: "reset" }), 5],
  ["truncated, keeping all", truncated({ steps: 5, keep: 5, dynamics }), 5],
  ["truncated", truncated({ steps: 5, keep: 2, dynamics }), 2],
])("%s", (_name, rule, seen) => {
  test("what is seen and what is left out make the exact value, -2", async () => {
    const { history, sentence, warnings } = await run(rule);
    const { gradientNorm, measured } = history.at(-1)!;
    const left = 0.99 ** seen;
    // The follower is at rest to 0.99^2000, some 2e-9.
    expect(gradientNorm).toBeCloseTo(2 * (1 - left), 7);
    expect(measured["remainingAdjoint"]).toBeCloseTo(left, 7);
    expect(measured["truncationTail"]! + gradientNorm).toBeCloseTo(2, 5);
    const said = `The warm start biases each hypergradient: it leaves out how the weights before the ${seen} steps, where the last estimate left them, depend on the hyperparameters.`;
    expect(sentence).toContain(said);
    expect(warnings.some((warning) => warning.startsWith(said))).toBe(true);
  });

  test("each report says so, but for the first step's, and none of a cold start's", async () => {
    const sentences: string[] = [];
    for await (const { report } of run(rule, { steps: 1 })) sentences.push(report.sentence);
    const biased = /leaves out how the weights before the \d+ steps, where the last estimate left/;
    expect(sentences.map((sentence) => biased.test(sentence))).toEqual([false, true]);
    expect(sentences[1]).toMatch(/What it leaves out is an estimated \d\.\de[+-]\d, beside/);
    const cold = await run(rule, { start: "cold", steps: 1 });
    expect(cold.sentence).not.toContain("warm start");
    const { report } = await hypergradient(problem, { ...place, rule });
    expect(biased.test(report.sentence)).toBe(false);
  });
});

test("nothing is estimated where it is not measured, and the bias is still named", async () => {
  for (const rule of [forward({ steps: 1, dynamics }), pzobo({ steps: 5, dynamics })]) {
    const { sentence } = await run(rule, { steps: 2 });
    expect(sentence).toContain("The warm start biases each hypergradient");
    expect(sentence).toContain("How much that is was not measured.");
  }
});

test("steps that forget their start are not warned of, and one that does not fall has no estimate", async () => {
  const settled = reverse({ steps: 30, dynamics: gradientDescent({ learningRate: 0.5 }) });
  const { warnings, history } = await run(settled, { steps: 3 });
  expect(warnings).toEqual([]);
  expect(history.at(-1)!.measured["truncationTail"]).toBeLessThan(1e-8);
  for await (const { report } of run(settled, { steps: 2 })) {
    expect(report.sentence).not.toContain("biased");
  }
  const swinging = reverse({ steps: 2, dynamics: gradientDescent({ learningRate: 2 }) });
  const { sentence } = await run(swinging, { steps: 2 });
  expect(sentence).toContain("has no estimate, for the adjoint does not fall on the way (1.00 of");
});

test("other rules: aggregation inherits it, the implicit function does not care where the follower starts", async () => {
  const aggregated = await run(bda({ steps: 5, dynamics }), { steps: 3 });
  expect(aggregated.sentence).toContain("The warm start biases each hypergradient");
  const solver = conjugateGradient({ maxSteps: 5 });
  const exact = await run(implicit({ steps: 5, dynamics, solver }));
  expect(exact.sentence).not.toContain("warm start");
  expect(exact.history.at(-1)!.gradientNorm).toBeCloseTo(2, 7);
});

test("the adviser cautions where the steps are few, and not where they solve the problem", async () => {
  const cautionOf = async (learningRate: number): Promise<string> => {
    const { ranking } = await advise(problem, {
      ...place,
      steps: 5,
      dynamics: gradientDescent({ learningRate }),
      starts: 3,
    });
    return ranking.find(({ factory }) => factory === "reverse")!.caution;
  };
  expect(await cautionOf(0.01)).toContain("it sees about 4.9% of the solution's derivative");
  expect(await cautionOf(0.9)).not.toContain("warm start");
});

test("at rest the first step's derivative is that of the weights given", async () => {
  const [first] = flat(
    (await hypergradient(problem, { ...place, rule: reverse({ steps: 5, dynamics }) })).gradient,
  );
  expect(first).toBeCloseTo((1 - 0.99 ** 5) * (1 - 0.99 ** 5 - 3), 12);
});
