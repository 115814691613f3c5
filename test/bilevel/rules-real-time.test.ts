/** Real-time forward mode: forward mode while λ rests, and its own recursion while λ moves. */
import { numpy as np } from "@jax-js/jax";
import { afterEach, describe, expect, test } from "vitest";
import {
  adam,
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  inverseTimeDecay,
  momentum,
  solve,
  type Optimizer,
  type Rule,
} from "../../src/bilevel/index.ts";
import { forward, realTime } from "../../src/bilevel/rules/index.ts";
import { evaluate, expectClose, flat, still } from "./evaluate.ts";
import { allCases, f64, representation, scalarQuadratic, sequence, type Case } from "./problems.ts";

const cases = allCases();
afterEach(async () => {
  for (const { problem } of cases) await disposePrograms(problem);
});

/** The hypergradients, answers and checkpoint of some outer steps. */
async function run(
  c: Case,
  rule: Rule,
  optimizer: Optimizer,
  steps: number,
  more: { start?: "cold"; resume?: Uint8Array; save?: (bytes: Uint8Array) => void } = {},
): Promise<{ gradient: number[]; w: number[]; lambda: number[] }[]> {
  const { save, ...rest } = more;
  const answers: { gradient: number[]; w: number[]; lambda: number[] }[] = [];
  const { lambda, w, data } = c;
  const budget = { steps };
  const checkpoint = save && { checkpoint: { save } };
  for await (const step of solve(c.problem, {
    rule,
    optimizer,
    lambda,
    w,
    data,
    budget,
    ...checkpoint,
    ...rest,
  })) {
    answers.push({
      gradient: flat(step.gradient),
      w: flat(step.w),
      lambda: flat(step.lambda),
    });
  }
  return answers;
}

describe("while λ rests", () => {
  test.each([
    { c: cases[1]!, dynamics: momentum({ learningRate: 0.15, momentum: 0.6 }) },
    { c: cases[2]!, dynamics: adam({ learningRate: 0.05, epsilon: 1e-3 }) },
    // The schedule must go on, too.
    {
      c: cases[4]!,
      dynamics: gradientDescent({ learningRate: inverseTimeDecay({ initial: 0.4, decay: 0.5 }) }),
    },
    { c: cases[3]!, dynamics: gradientDescent({ learningRate: 0.05 }) },
    { c: cases[5]!, dynamics: gradientDescent({ learningRate: 0.5 }) },
  ])("$c.name, $dynamics.name: forward at T = Δ, 2Δ, 3Δ", async ({ c, dynamics }) => {
    const steps = 4;
    const answers = await run(c, realTime({ steps, dynamics }), still, 2);
    expect(answers.length).toBe(3);
    for (const [k, answer] of answers.entries()) {
      const whole = await evaluate(c, forward({ steps: (k + 1) * steps, dynamics }));
      expectClose(answer.w, flat(whole.w), 1e-15);
      expectClose(answer.gradient, whole.gradient, 1e-14 * (1 + Math.hypot(...whole.gradient)));
    }
  });

  test("with reset: forward from the weights so far", async () => {
    const c = cases[4]!;
    const dynamics = gradientDescent({ learningRate: 0.4 });
    const answers = await run(c, realTime({ steps: 3, dynamics, tangents: "reset" }), still, 1);
    const first = await evaluate(c, forward({ steps: 3, dynamics }));
    const second = await evaluate(c, forward({ steps: 3, dynamics }), first.w);
    expectClose(answers[0]!.gradient, first.gradient, 1e-15);
    expectClose(answers[1]!.gradient, second.gradient, 1e-15);
  });

  test("a cold start forgets Z with the weights", async () => {
    const c = cases[1]!;
    const rule = realTime({ steps: 4, dynamics: gradientDescent({ learningRate: 0.3 }) });
    const [first, second] = await run(c, rule, still, 1, { start: "cold" });
    expect(second!.gradient).toEqual(first!.gradient);
  });
});

describe("while λ moves", () => {
  /** P1 by hand: y ← y − s(2y − x), z ← (1 − 2s)z + s, each Δ times, then x ← x − η(ρx + z(y − 1)). */
  function byHand(steps: number, outer: number, keep: boolean): { x: number; h: number }[] {
    const [s, eta] = [0.25, 0.3];
    let [x, y, z] = [1, 0, 0];
    return Array.from({ length: outer }, () => {
      if (!keep) z = 0;
      for (let t = 0; t < steps; t++) {
        y -= s * (2 * y - x);
        z = (1 - 2 * s) * z + s;
      }
      const h = 0.1 * x + z * (y - 1);
      const now = { x, h };
      x -= eta * h;
      return now;
    });
  }

  test.each([true, false])("P1: its recursion, keeping Z: %s", async (keep) => {
    const rule = realTime({
      steps: 2,
      dynamics: gradientDescent({ learningRate: 0.25 }),
      ...(!keep && { tangents: "reset" as const }),
    });
    const leader = gradientDescent({ learningRate: 0.3 });
    const answers = await run(scalarQuadratic, rule, leader, 7);
    const expected = byHand(2, 8, keep);
    expectClose(
      answers.flatMap(({ lambda, gradient }) => [lambda[0]!, gradient[0]!]),
      expected.flatMap(({ x, h }) => [x, h]),
      1e-14,
    );
  });

  test("P1: keeping Z it ends at the optimum 10/7, with reset at a biased point", async () => {
    const at = { steps: 2, dynamics: gradientDescent({ learningRate: 0.25 }) };
    const leader = gradientDescent({ learningRate: 0.3 });
    const kept = (await run(scalarQuadratic, realTime(at), leader, 300)).at(-1)!;
    expectClose(kept.lambda, [10 / 7], 1e-9);
    // ρx + z(x/2 − 1) = 0 with z = (1 − q²)/2 = 3/8.
    const reset = await run(scalarQuadratic, realTime({ ...at, tangents: "reset" }), leader, 300);
    expectClose(reset.at(-1)!.lambda, [0.375 / (0.1 + 0.375 / 2)], 1e-9);
  });

  test("a resumed run is the uninterrupted one, to the last bit", async () => {
    const c = cases[4]!;
    const rule = realTime({ steps: 3, dynamics: momentum({ learningRate: 0.2, momentum: 0.5 }) });
    const leader = gradientDescent({ learningRate: 0.5 });
    const whole = await run(c, rule, leader, 6);
    let saved: Uint8Array | undefined;
    await run(c, rule, leader, 3, { save: (bytes) => (saved = bytes) });
    const rest = await run(c, rule, leader, 6, { resume: saved! });
    expect(rest.length).toBeGreaterThan(0);
    expect(rest).toEqual(whole.slice(-rest.length));
  });
});

test("one evaluation is forward's, and says what would be biased", async () => {
  const c = cases[1]!;
  const dynamics = gradientDescent({ learningRate: 0.3 });
  const { gradient, report } = await evaluate(c, realTime({ steps: 5, dynamics }));
  expect(gradient).toEqual((await evaluate(c, forward({ steps: 5, dynamics }))).gradient);
  expect(report.sentence).toContain("The hypergradient is biased: what earlier steps contribute");
  expect(report.cost).toEqual({
    innerGradients: 5,
    hessianVectorProducts: 5 * 2,
    crossProducts: 5 * 2,
    storedFloats: 2 * 2,
    reportGradients: 2,
  });
});

test("minibatches: each outer step takes Δ of them", async () => {
  const c = representation();
  const rule = realTime({ steps: 2, dynamics: gradientDescent({ learningRate: 0.05 }) });
  const inner = { x: f64(sequence(2 * 12, 3, 1), [2, 3, 4]), y: f64(sequence(6, 4, 1), [2, 3]) };
  const at = { lambda: c.lambda, w: c.w, data: { inner, outer: c.data.outer }, batched: true };
  const dynamics = gradientDescent({ learningRate: 0.05 });
  const expected = await hypergradient(c.problem, { ...at, rule: forward({ steps: 2, dynamics }) });
  const result = await hypergradient(c.problem, { ...at, rule });
  expectClose(flat(result.gradient), flat(expected.gradient), 0);
  await disposePrograms(c.problem);
});

test("a problem that restarts its follower is refused", async () => {
  const problem = bilevel({
    init: (l: np.Array) => l,
    inner: (w: np.Array) => np.square(w),
    outer: (w: np.Array) => np.square(w),
  });
  const rule = realTime({ steps: 2, dynamics: gradientDescent({ learningRate: 0.25 }) });
  const at = { rule, lambda: f64(1), data: { inner: f64(0), outer: f64(0) } };
  await expect(hypergradient(problem, at)).rejects.toThrow(/init restarts it/);
});
