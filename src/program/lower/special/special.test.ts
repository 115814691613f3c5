import { lax, numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";

import * as exact from "../../../../test/program/fixed-point.ts";
import { type CompiledFunction, compile, tensor } from "../../index.ts";

type Unary = CompiledFunction<np.Array>;

const functions: Record<"asin" | "atan" | "erf" | "erfc", Unary> = {
  asin: compile((x: np.Array) => np.arcsin(x)),
  atan: compile((x: np.Array) => np.arctan(x)),
  erf: compile((x: np.Array) => lax.erf(x)),
  erfc: compile((x: np.Array) => lax.erfc(x)),
};

afterAll(async () => {
  for (const fn of Object.values(functions)) await fn.dispose();
});

/** `count` numbers from low to high, at odd fractions so that none is round. */
function between(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * (i + 0.6180339887)) / count);
}

async function worst(
  name: keyof typeof functions,
  xs: readonly number[],
  dtype: "float32" | "float64",
): Promise<number> {
  const input = tensor([...xs], { dtype });
  const output = await functions[name](input);
  const errors = Array.from(output.data, (y, i) =>
    Math.abs(exact.relativeError(Number(y), exact[name](exact.fixed(Number(input.data[i]))))),
  );
  return Math.max(...errors);
}

// Measured: asin 3.2e-16, atan 1.1e-16, erf 0.9e-16, erfc 2.3e-16; erfc in float32 1.5e-7.
describe("float64, against series in 2600-bit arithmetic", () => {
  const around = [1e-300, 1e-20, 1e-9, 1e-5, 0.1];
  test.each([
    ["asin", [...around, ...between(-1, 1, 101), 0.5, 0.49999999999, 0.9999999], 5e-16],
    ["atan", [...around, ...between(-5, 5, 101), 0.4375, 0.6875, 1.1875, 2.4375, 1e3, 1e17], 5e-16],
    ["erf", [...around, ...between(-6.5, 6.5, 101), 0.84375, 1.25, 1 / 0.35], 5e-16],
    ["erfc", [...around, ...between(-6.5, 26.5, 161), 0.25, 0.84375, 1.25, 1 / 0.35], 5e-16],
  ] as const)("%s", async (name, xs, bound) => {
    const error = await worst(name, xs, "float64");
    expect(error).toBeLessThan(bound);
  });
});

test("float32 erfc keeps its relative accuracy in the tail", async () => {
  const error = await worst("erfc", [...between(-4, 9, 201), 9], "float32");
  expect(error).toBeLessThan(5e-7);
});

test("limits, signs and what is not a number", async () => {
  for (const dtype of ["float32", "float64"] as const) {
    const at = async (name: keyof typeof functions, xs: number[]): Promise<number[]> =>
      Array.from((await functions[name](tensor(xs, { dtype }))).data as Float64Array);
    const half = dtype === "float32" ? Math.fround(Math.PI / 2) : Math.PI / 2;
    expect(await at("asin", [1, -1, 1.5, NaN])).toEqual([half, -half, NaN, NaN]);
    expect(await at("atan", [Infinity, -Infinity, NaN, 0])).toEqual([half, -half, NaN, 0]);
    expect(await at("erf", [Infinity, -Infinity, NaN, 0])).toEqual([1, -1, NaN, 0]);
    expect(await at("erfc", [Infinity, -Infinity, NaN, 0])).toEqual([0, 2, NaN, 1]);
  }
});

test("float16 passes through a wider type, integers are refused", async () => {
  const half = compile((x: np.Array) => lax.erfc(x.astype(np.float16)).astype(np.float32));
  const { data } = await half(tensor([0, 1, 2]));
  [1, 0.157299, 0.004678].forEach((y, i) => expect(Number(data[i])).toBeCloseTo(y, 3));
  await expect(functions.atan(tensor([-3, 0, 3], { dtype: "int32" }))).rejects.toThrow(
    "atan of int32[3] is int32 to jax-js; cast the array first, with .astype(np.float32).",
  );
  await half.dispose();
});
