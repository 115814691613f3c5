import { expect, test } from "vitest";

import { halfBits, halfValue } from "./half.ts";
import { tensor } from "./tensor.ts";

test("every half-precision number keeps its bits", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = halfValue(bits);
    if (!Number.isNaN(value)) expect(halfBits(value)).toBe(bits);
  }
});

test("midway between two numbers the even one is taken; beyond, the nearer", () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [halfValue(bits), halfValue(bits + 1)];
    const middle = (low + high) / 2;
    expect(halfBits(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
    expect(halfBits(middle - (high - low) / 8)).toBe(bits);
    expect(halfBits(middle + (high - low) / 8)).toBe(bits + 1);
  }
});

test("too large is infinite, too small is zero, NaN stays NaN", () => {
  expect([halfBits(65520), halfBits(-1e9), halfBits(Infinity)]).toEqual([0x7c00, 0xfc00, 0x7c00]);
  expect([halfBits(2 ** -26), halfBits(-1e-40)]).toEqual([0, 0x8000]);
  expect(halfValue(halfBits(NaN))).toBeNaN();
});

test("a half-precision tensor converts by value, not by bits", () => {
  const half = tensor([1.5, -2, 0.099976], { dtype: "float16" });
  expect(half.data).toBeInstanceOf(Uint16Array);
  const single = tensor(half, { dtype: "float32" });
  expect([...single.data]).toEqual([1.5, -2, 0.0999755859375]);
});
