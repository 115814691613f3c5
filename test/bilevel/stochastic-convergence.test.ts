/** How stochastic rules converge on a small finite sum: with constant rates or not, and how fast when the rates fall. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  fixedBatches,
  gradientDescent,
  powerLaw,
  solve,
  type Rule,
  type Schedule,
} from "../../src/bilevel/index.ts";
import { saba, soba } from "../../src/bilevel/rules/index.ts";
import { leavesOf } from "./descend.ts";
import { terms } from "./finite-sum.ts";
import { f64 } from "./problems.ts";

/**
 * 24 copies of L = mean ½a_i z² − b_i xz, E = mean ½(z − c_j)² + 0.05x² beside each other. Each sees the terms in another
 * order, so that one draw of i and j is all 6·4 pairs, and a mean over the copies needs few steps.
 */
const copies = 24;
const problem = bilevel({
  inner: (z: np.Array, x: np.Array, d: { a: np.Array; b: np.Array }) =>
    np.sum(np.mean(d.a, 0).mul(0.5).mul(np.square(z)).sub(np.mean(d.b, 0).mul(x).mul(z))),
  outer: (z: np.Array, x: np.Array, d: { c: np.Array }) =>
    np
      .sum(np.mean(np.square(z.sub(d.c)), 0))
      .mul(0.5)
      .add(np.sum(np.square(x)).mul(0.05)),
});
const ordered = (values: readonly number[], shift: (copy: number) => number): number[][] =>
  values.map((_, i) =>
    Array.from({ length: copies }, (_, copy) => values[(i + shift(copy)) % values.length]!),
  );
const ofInner = (values: readonly number[]): number[][] => ordered(values, (copy) => copy % 6);
const inner = fixedBatches({ data: { a: f64(ofInner(terms.a)), b: f64(ofInner(terms.b)) }, size: 1 }); // prettier-ignore
const outer = fixedBatches({
  data: { c: f64(ordered(terms.c, (copy) => Math.floor(copy / 6))) },
  size: 1,
});
afterAll(() => disposePrograms(problem));

/** Mean ‖∇F(x)‖² of the copies at every step: with z = (5/12)x, ∇F = 0.1x + (5/12)(z − 1). */
async function path(rule: Rule, leader: number | Schedule, steps: number): Promise<number[]> {
  const run = solve(problem, {
    rule,
    optimizer: gradientDescent({ learningRate: leader }),
    lambda: f64(new Float64Array(copies).fill(0.3)),
    w: f64(new Float64Array(copies).fill(0.4)),
    data: { inner, outer },
    budget: { steps },
    innerValue: false,
    seed: 1,
  });
  const squares: number[] = [];
  for await (const { lambda } of run) {
    const gradients = leavesOf(lambda).map((x) => 0.1 * x + (5 / 12) * ((5 / 12) * x - 1));
    squares.push(mean(gradients.map((g) => g * g)));
  }
  expect((await run).status).toBe("max-steps");
  return squares;
}
const mean = (values: readonly number[]): number =>
  values.reduce((sum, x) => sum + x, 0) / values.length;

test("constant rates: SABA goes below 1e-8 and on to rounding, SOBA stays on a plateau", async () => {
  const [rho, gamma] = [0.1, 0.3];
  const batches = { inner: inner.count, outer: outer.count };
  const reduced = await path(saba({ learningRate: rho, batches }), gamma, 700);
  expect(Math.max(...reduced.slice(650))).toBeLessThan(1e-20);
  // Linear: from 1e-8 to 1e-16 takes about as long as from 1 to 1e-8.
  const first = reduced.findIndex((square) => square < 1e-8);
  const second = reduced.findIndex((square) => square < 1e-16);
  expect(second / first).toBeGreaterThan(1.5);
  expect(second / first).toBeLessThan(3);

  const plain = await path(soba({ learningRate: rho }), gamma, 700);
  const [middle, last] = [mean(plain.slice(300, 500)), mean(plain.slice(500))];
  expect(last).toBeGreaterThan(1e-4);
  expect(last / middle).toBeGreaterThan(0.5);
  expect(last / middle).toBeLessThan(2);
});

test("rates that fall as k^(−1/2): SOBA's mean square falls like them", async () => {
  const falling = (initial: number): Schedule => powerLaw({ initial, power: -1 / 2 });
  const squares = await path(soba({ learningRate: falling(0.6) }), falling(2), 1600);
  const power = Math.log(mean(squares.slice(800)) / mean(squares.slice(100, 200))) / Math.log(8);
  // −1/2 and what is left of the noise of one path.
  expect(Math.abs(power + 0.5)).toBeLessThan(0.3);
});
