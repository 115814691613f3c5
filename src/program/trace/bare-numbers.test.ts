import { grad, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { compile } from "../compile.ts";
import { TraceError } from "./trace.ts";
import { type Tensor, tensor } from "../tensors/tensor.ts";

const x = tensor([1, -2, 3]);
const k = tensor([1, 2, 3], { dtype: "int32" });
const u = tensor([1, 2, 3], { dtype: "uint32" });
const mask = tensor([true, false, true]);

type Case = [name: string, fn: (x: np.Array) => np.Array, x: Tensor, message: RegExp];

describe("a number that the type of the array cannot hold", () => {
  test.each<Case>([
    [
      "a mask times a fraction",
      (x) => np.greater(x, 0).mul(2.5),
      x,
      /2.5 meets bool\[3\] in a product or quotient, whose result is uint32 .*\.astype\(np\.float32\)/,
    ],
    ["half a mask", (x) => x.mul(0.5), mask, /0.5 meets bool\[3\]/],
    ["a third, computed", (x) => x.add(np.array(1).div(3)), k, /meets int32\[3\] in a sum/],
    ["a sum", (x) => x.add(0.5), k, /0.5 meets int32\[3\]/],
    ["a difference", (x) => x.sub(0.5), k, /-0.5 meets int32\[3\]/],
    ["a quotient", (x) => x.div(2.5), k, /2.5 meets int32\[3\] in a division/],
    ["a remainder", (x) => x.mod(1.5), k, /1.5 meets int32\[3\] in a remainder/],
    ["where", (x) => np.where(np.greater(x, 1), x, 0.5), k, /0.5 meets int32\[3\] in where/],
    ["a maximum", (x) => np.maximum(x, 0.5), k, /0.5 meets int32\[3\] in a maximum/],
    ["clip", (x) => np.clip(x, 0.5, 2.5), k, /meets int32\[3\] in a m/],
    ["a comparison", (x) => np.less(x, 0.5), k, /0.5 meets int32\[3\] in a comparison/],
    ["a number beyond the range", (x) => np.less(x, 3e9), k, /3000000000 meets int32\[3\]/],
    ["a negative number", (x) => x.sub(1), u, /-1 meets uint32\[3\]/],
    [
      "in a gradient",
      (x) => grad((y: np.Array) => np.sum(y.mul(np.greater(y, 0).mul(0.5))))(x) as np.Array,
      x,
      /0.5 meets bool\[3\]/,
    ],
    [
      "the complement of a mask",
      (x) => np.subtract(1, x),
      mask,
      /the negative of bool\[3\], or a difference with it, is bool/,
    ],
    ["how many are true", (x) => np.sum(x), mask, /the sum of bool\[3\] is bool/],
    ["a power", (x) => np.power(x, 0.5), k, /log of int32\[3\] is int32/],
    ["an exponential", (x) => np.exp(x), k, /exp of int32\[3\] is int32/],
  ])("%s", async (_, fn, value, message) => {
    const running = compile(fn)(value);
    await expect(running).rejects.toThrow(message);
    await expect(running).rejects.toBeInstanceOf(TraceError);
  });

  test.each<[string, (x: np.Array) => np.Array, Tensor, number[]]>([
    ["a whole number", (x) => x.mul(2).add(1), k, [3, 5, 7]],
    ["a negative one", (x) => x.mul(-2), k, [-2, -4, -6]],
    ["a mask, cast", (x) => np.greater(x, 0).astype(np.float32).mul(2.5), x, [2.5, 0, 2.5]],
    ["a mask beside a float", (x) => x.mul(np.greater(x, 0)).mul(0.5), x, [0.5, -0, 1.5]],
    ["a mask times a whole number", (x) => x.mul(2), mask, [2, 0, 2]],
    ["where, of floats", (x) => np.where(np.greater(x, 0), x, 0.5), x, [1, 0.5, 3]],
    ["a comparison of floats", (x) => np.greater(x, 1.5), x, [0, 0, 1]],
  ])("%s is itself", async (_, fn, value, expected) => {
    expect((await compile(fn)(value)).toNested()).toEqual(expected);
  });
});
