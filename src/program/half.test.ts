import { expect, test } from "vitest";

import { halfBits } from "./half.ts";

/** The number that 16 bits stand for. */
function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

test("every half-precision number keeps its bits", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = valueOf(bits);
    if (!Number.isNaN(value)) expect(halfBits(value)).toBe(bits);
  }
});

test("midway between two numbers the even one is taken; beyond, the nearer", () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [valueOf(bits), valueOf(bits + 1)];
    const middle = (low + high) / 2;
    expect(halfBits(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
    expect(halfBits(middle - (high - low) / 8)).toBe(bits);
    expect(halfBits(middle + (high - low) / 8)).toBe(bits + 1);
  }
});

test("too large is infinite, too small is zero, NaN stays NaN", () => {
  expect([halfBits(65520), halfBits(-1e9), halfBits(Infinity)]).toEqual([0x7c00, 0xfc00, 0x7c00]);
  expect([halfBits(2 ** -26), halfBits(-1e-40)]).toEqual([0, 0x8000]);
  expect(valueOf(halfBits(NaN))).toBeNaN();
});
