/** The noise against finite populations, whose variance and mean are known. */
import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { tensor, type Nested, type Tensor } from "../../program/tensors/tensor.ts";
import { drawData } from "./data.ts";
import { measureNoise, noiseOf } from "./minibatch-noise.ts";
import { bilevel, type Problem } from "../problem.ts";
import { minibatches } from "../solve/samplers.ts";

const population = [
  [1, -2, 0.5],
  [3, 0, 0.25],
  [-1, 1, 2],
  [2, 2, -1],
];

/** Every way to draw `count` members, with replacement. */
function draws(count: number): number[][][] {
  if (count === 0) return [[]];
  return draws(count - 1).flatMap((draw) => population.map((g) => [...draw, g]));
}

test.each([2, 3, 4])("%i batches: both estimates are unbiased", (batches) => {
  const n = population.length;
  const mean = [0, 1, 2].map((i) => population.reduce((sum, g) => sum + g[i]!, 0) / n);
  const distance = (g: number[]): number => g.reduce((sum, x, i) => sum + (x - mean[i]!) ** 2, 0);
  const variance = population.reduce((sum, g) => sum + distance(g), 0) / n;
  const squaredNorm = mean.reduce((sum, x) => sum + x * x, 0);
  const all = draws(batches).map(noiseOf);
  expect(all).toHaveLength(n ** batches);
  const over = (key: "variance" | "squaredNorm"): number =>
    all.reduce((sum, noise) => sum + noise[key], 0) / all.length;
  expect(over("variance")).toBeCloseTo(variance, 12);
  expect(over("squaredNorm")).toBeCloseTo(squaredNorm, 12);
});

test("the scale is the quotient, 0 without noise and infinite without a gradient", () => {
  const noise = noiseOf([[3], [5]]);
  expect(noise).toEqual({ variance: 2, squaredNorm: 15, scale: 2 / 15 });
  expect(noiseOf([[3], [3]]).scale).toBe(0);
  expect(noiseOf([[1], [-1]])).toEqual({ variance: 2, squaredNorm: -1, scale: Infinity });
});

test("minibatches of a finite sum: the variance of a sample mean without replacement", async () => {
  // L = ½ mean_i ‖w − a_i‖², so that a minibatch's gradient is w − mean a over it.
  const [n, size] = [12, 3];
  const a = Array.from({ length: n }, (_, i) => [Math.sin(3 * i), 2 * Math.cos(2 * i * i)]);
  const objective = (w: np.Array, _l: np.Array, d: np.Array): np.Array =>
    np.mean(np.sum(np.square(w.sub(d)), 1)).mul(0.5);
  const problem = bilevel({ inner: objective, outer: objective }) as Problem;
  const f64 = (values: Nested): Tensor => tensor(values, { dtype: "float64" });
  const all = f64(a);
  const [start, response] = [f64([1, -2]), f64([0.1, 0.2])];
  const batches = 1000;
  const data = { inner: minibatches({ data: all, size }), outer: all };
  const drawn = await drawData(problem, data, { batches, seed: 0 });
  const noise = await measureNoise({ problem, lambda: f64(0), start, response }, drawn, {});

  const mean = [0, 1].map((k) => a.reduce((sum, x) => sum + x[k]!, 0) / n);
  const population = a.reduce((s, x) => s + (x[0]! - mean[0]!) ** 2 + (x[1]! - mean[1]!) ** 2, 0) / n; // prettier-ignore
  const variance = (population / size) * ((n - size) / (n - 1));
  expect(noise).toMatchObject({ batches });
  expect(noise!.outer).toBeUndefined();
  expect(noise!.largestCurvature).toBeCloseTo(1, 12);
  for (const [w, found] of [
    [start, noise!.inner!.start],
    [response, noise!.inner!.response],
  ] as const) {
    const g = mean.map((m, k) => w.data[k]! - m);
    const squaredNorm = g[0]! ** 2 + g[1]! ** 2;
    // Relative error √(2/B) = 0.045 at most; of ‖ḡ‖², 2‖g‖√(variance/B). Four times that.
    expect(Math.abs(found.variance / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / batches));
    const error = 2 * Math.sqrt((squaredNorm * variance) / batches);
    expect(Math.abs(found.squaredNorm - squaredNorm)).toBeLessThan(4 * error);
    expect(found.scale).toBe(found.variance / found.squaredNorm);
  }
});
