/** Curvatures against spectra that are known. */
import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { tensor } from "../../program/tensors/tensor.ts";
import { curvatureMeter, readCurvature } from "./curvature.ts";
import { bilevel } from "../problem.ts";

const f64 = (values: number[]) => tensor(values, { dtype: "float64" });

/** Curvatures of ½Σ e^λ d_i w_i², a diagonal Hessian. */
async function measure(diagonal: number[], products: number) {
  const problem = bilevel({
    inner: (w: { a: np.Array; b: np.Array }, lambda: np.Array, d: np.Array) =>
      np.sum(np.square(np.concatenate([w.a, w.b])).mul(d)).mul(np.exp(lambda)).mul(0.5), // prettier-ignore
    outer: (w: { a: np.Array; b: np.Array }) => np.sum(w.a),
  });
  const w = { a: f64([1]), b: f64(diagonal.slice(1).map(() => 2)) };
  const point = { lambda: tensor(0, { dtype: "float64" }), w, inner: f64(diagonal) };
  const meter = await curvatureMeter(problem, point, { products });
  const result = await meter.at(w);
  await meter.dispose();
  return { ...result, products: meter.products };
}

test.each([
  ["positive", [3, 1, 2, 0.5], 0.5, 3],
  ["singular", [1, 1, 0, 0, 1], 0, 1],
  ["indefinite", [-0.25, 4, 1, 1], -0.25, 4],
  ["zero", [0, 0, 0], 0, 0],
  ["a multiple of the unit matrix", [7, 7, 7], 7, 7],
])("%s: with enough products both ends are exact", async (_, diagonal, smallest, largest) => {
  const found = await measure(diagonal, 50);
  expect(found.smallest).toBeCloseTo(smallest, 10);
  expect(found.largest).toBeCloseTo(largest, 10);
  expect(found.isExhausted).toBe(true);
  expect(found.products).toBe(diagonal.length);
});

test("with few products they lie inside the spectrum, and say so", async () => {
  const diagonal = Array.from({ length: 60 }, (_, i) => 1 + i);
  const found = await measure(diagonal, 12);
  expect(found.isExhausted).toBe(false);
  expect(found.products).toBe(12);
  expect(found.smallest).toBeGreaterThanOrEqual(1);
  expect(found.smallest).toBeLessThan(3);
  expect(found.largest).toBeLessThanOrEqual(60);
  expect(found.largest).toBeGreaterThan(58);
});

test("a second-difference matrix has the eigenvalues 2 − 2cos(kπ/(n + 1))", () => {
  const n = 9;
  const { smallest, largest } = readCurvature(
    new Array<number>(n).fill(2),
    new Array<number>(n).fill(1),
    1e-8,
    true,
  );
  expect(smallest).toBeCloseTo(2 - 2 * Math.cos(Math.PI / 10), 12);
  expect(largest).toBeCloseTo(2 + 2 * Math.cos(Math.PI / 10), 12);
});

test("what is not finite has no curvature", () => {
  expect(readCurvature([NaN, 1], [1, 1], 1e-8, true).smallest).toBeNaN();
});
