import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { Program, tensor } from "./index.ts";
import { bilevel, disposePrograms, gradientDescent, hypergradient } from "../bilevel/index.ts";
import { reverse } from "../bilevel/rules/index.ts";
import { placementOf } from "./placement.ts";

test("only what is given, and only what differs from the defaults", () => {
  expect(placementOf({})).toEqual({});
  const given = { device: "cpu", threads: 2, optimize: false, blockedKernels: false } as const;
  expect(placementOf({ ...given, flushDenormals: false })).toEqual(given);
  expect(placementOf({ optimize: true, blockedKernels: true })).toEqual({});
});

test("our optimizations can be switched off for one evaluation, and change nothing", async () => {
  const problem = bilevel({
    inner: (w: np.Array, l: np.Array, x: np.Array) =>
      np.sum(np.square(np.matmul(x, w).sub(1))).add(np.sum(np.exp(l).mul(np.square(w)))),
    outer: (w: np.Array, _: np.Array, x: np.Array) => np.sum(np.square(np.matmul(x, w).sub(2))),
  });
  const x = tensor([1, 2, 0.5, -1, 3, 1], { shape: [3, 2], dtype: "float64" });
  const zeros = tensor([0, 0], { dtype: "float64" });
  const rule = reverse({ steps: 20, dynamics: gradientDescent({ learningRate: 0.01 }) });
  const point = { rule, lambda: zeros, w: zeros, data: { inner: x, outer: x } };
  const seen: (boolean | undefined)[] = [];
  const { encode } = Program.prototype;
  Program.prototype.encode = function (options) {
    seen.push(options?.optimize);
    return encode.call(this, options);
  };
  try {
    const full = await hypergradient(problem, point);
    const plain = await hypergradient(problem, { ...point, optimize: false });
    expect(seen).toEqual([undefined, false]);
    full.gradient.data.forEach((value, i) => {
      expect(plain.gradient.data[i]).toBeCloseTo(Number(value), 13);
    });
  } finally {
    Program.prototype.encode = encode;
    await disposePrograms(problem);
  }
});
