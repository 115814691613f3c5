/** The explicit rules on one minibatch for each inner step, through a representation that depends on λ. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  type Rule,
} from "../../src/bilevel/index.ts";
import { darts, forward, oneStage, reverse, truncated } from "../../src/bilevel/rules/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";
import { expectClose, flat } from "./evaluate.ts";
import { f64, sequence } from "./problems.ts";

interface D {
  x: np.Array;
  rows: np.Array;
}
const loss = (w: np.Array, d: D): np.Array =>
  np.mean(np.square(np.matmul(d.x, w).sub(d.rows.astype(d.x.dtype))));
const problem = bilevel({
  prepare: (l: np.Array, d: D): D => ({ ...d, x: np.tanh(np.matmul(d.x, l)) }),
  inner: (w: np.Array, l: np.Array, d: D) =>
    loss(w, d).add(
      np
        .sum(np.square(w))
        .mul(0.1)
        .mul(np.exp(np.sum(l).mul(0.2))),
    ),
  outer: (w: np.Array, l: np.Array, d: D) => loss(w, d).add(np.sum(np.square(l)).mul(0.01)),
});
afterAll(() => disposePrograms(problem));

const total = 5;
const x = sequence(total * 12, 3, 1);
const labels = Int32Array.from({ length: total * 3 }, (_, i) => (i * i) % 4);
const outer = {
  x: f64(sequence(20, 5, 1), [5, 4]),
  rows: tensor(Int32Array.from([0, 1, 0, 2, 1])),
};
const lambda = f64(sequence(8, 2, 1), [4, 2]);
const start = f64([0.1, -0.2]);

/** The hypergradient on minibatches from..to−1, from weights w. */
async function on(
  rule: Rule,
  [from, to]: [number, number] = [0, total],
  w: Tensor = start,
): Promise<{ gradient: number[]; w: Tensor }> {
  const inner = {
    x: f64(x.slice(from * 12, to * 12), [to - from, 3, 4]),
    rows: tensor(labels.slice(from * 3, to * 3), { shape: [to - from, 3] }),
  };
  const at = { rule, lambda, w, data: { inner, outer }, batched: true };
  const result = await hypergradient(problem, at);
  return { gradient: flat(result.gradient), w: result.w as unknown as Tensor };
}

describe("minibatches", () => {
  const heavy = momentum({ learningRate: 0.1, momentum: 0.5 });
  const plain = gradientDescent({ learningRate: 0.1 });

  test("forward, binomial checkpoints and keeping all steps are reverse", async () => {
    const at = { steps: total, dynamics: heavy };
    const expected = (await on(reverse(at))).gradient;
    expectClose((await on(forward(at))).gradient, expected, 1e-14);
    expectClose((await on(truncated({ ...at, keep: total }))).gradient, expected, 0);
    for (const slots of [1, 2, 9]) {
      const spare = await on(reverse({ ...at, checkpoints: { slots } }));
      expectClose(spare.gradient, expected, 0);
    }
  });

  test("truncation sees the last batches", async () => {
    const { w } = await on(reverse({ steps: 3, dynamics: plain }), [0, 3]);
    const expected = await on(reverse({ steps: 2, dynamics: plain }), [3, 5], w);
    const kept = await on(truncated({ steps: total, keep: 2, dynamics: plain }));
    expectClose(kept.gradient, expected.gradient, 1e-14);
  });

  test("one stage is truncation to one step, and exact DARTS one stage", async () => {
    const truncation = await on(truncated({ steps: total, keep: 1, dynamics: heavy }));
    const one = await on(oneStage({ steps: total, dynamics: heavy }));
    expectClose(one.gradient, truncation.gradient, 1e-15);

    const single = await on(oneStage({ steps: 1, dynamics: plain }), [0, 1]);
    const at = { learningRate: 0.1, order: 2 } as const;
    const exact = await on(darts(at), [0, 1]);
    expectClose(exact.gradient, single.gradient, 1e-14);
    const finite = await on(darts({ ...at, difference: "finite" }), [0, 1]);
    expectClose(finite.gradient, single.gradient, 1e-10 * Math.hypot(...single.gradient));
  });

  test("the greedy sum weighs each batch's stage", async () => {
    const discount = 0.6;
    const steps = 3;
    let w = start;
    const expected = new Array<number>(8).fill(0);
    for (let t = 1; t <= steps; t++) {
      const stage = await on(oneStage({ steps: 1, dynamics: plain }), [t - 1, t], w);
      w = stage.w;
      // Only the last stage's own ∇_λ E counts; first-order DARTS is that alone.
      const alone = await on(darts({ learningRate: 0.1, order: 1 }), [t - 1, t], w);
      stage.gradient.forEach((v, i) => {
        expected[i]! += discount ** (steps - t) * (v - (t < steps ? alone.gradient[i]! : 0));
      });
    }
    const sum = await on(oneStage({ steps, dynamics: plain, discount }), [0, steps]);
    expectClose(sum.gradient, expected, 1e-14);
    expect(Math.hypot(...sum.gradient)).toBeGreaterThan(0.1);
  });
});
