import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { isOneNumber, moments } from "../moments.ts";
import { almostNumber, parseNumber } from "./numbers.ts";

property.prop([fc.double({ noNaN: true, noDefaultInfinity: true })])(
  "a number reads back",
  (value) => {
    expect(parseNumber(Object.is(value, -0) ? "-0" : String(value))).toBe(value);
    // -0 is written 0e+0.
    expect(parseNumber(value.toExponential())).toBe(value + 0);
  },
);

test.each(["1.", ".5", "+3", "-0.5", "007", "1e3", "1E-3", "0e5"])("%j is a number", (cell) => {
  expect(parseNumber(cell)).toBe(parseFloat(cell));
  expect(almostNumber("text")).toBeUndefined();
});

test.each([
  "0x10",
  "0b1",
  "0O7",
  "1_000",
  "1,5",
  "1 000",
  "12 kg",
  "inf",
  "Infinity",
  "1e999",
  "--1",
  "e5",
  "$5",
])("%j is no number", (cell) => {
  expect(parseNumber(cell)).toBeNaN();
});

test.each([
  ["1,234", "thousands separators"],
  ["-12,345,678.90", "thousands separators"],
  ["1.234,5", "thousands separators"],
  ["1.234.567", "thousands separators"],
  ["1 234", "thousands separators"],
  ["1'234.5", "thousands separators"],
  ["3,14", "decimal commas"],
  [",5", "decimal commas"],
  ["1,5e-3", "decimal commas"],
  ["-Inf", "infinite values"],
  ["1e999", "infinite values"],
])("%j was meant as a number: %s", (cell, words) => {
  expect(almostNumber(cell)).toBe(words);
});

test.each(["1,2,3", "12,34,567", "1.2.3", "2020-01-01", "a,b", ",", "1 2", "e5"])(
  "%j is text",
  (cell) => {
    expect(almostNumber(cell)).toBeUndefined();
  },
);

test("moments at the limits of floating point", () => {
  expect(moments(Float64Array.of(1, 3))).toEqual({ mean: 2, sd: 1 });
  expect(moments(Float64Array.of(-1.5e308, 1.5e308))).toEqual({ mean: 0, sd: 1.5e308 });
  expect(moments(Float64Array.of(0, 2e-300))).toEqual({ mean: 1e-300, sd: 1e-300 });
  expect(moments(Float64Array.of(0, 0))).toEqual({ mean: 0, sd: 0 });
});

test("moments of numbers with a large offset keep the digits of their differences", () => {
  // A million seconds since 1970, alternating: a plain sum would lose six digits.
  const values = Float64Array.from({ length: 1e6 }, (_, i) => 1.7e9 + (i % 2));
  expect(moments(values)).toEqual({ mean: 1.7e9 + 0.5, sd: 0.5 });
});

test.each([
  [14.62, 14.620000000000001, true],
  [0.1 + 0.2, 0.3, true],
  [1e9, 1e9 + 1e-5, true],
  [1e9, 1e9 + 1e-3, false],
  [1.7e9, 1.7e9 + 1, false],
  [0, 1e-300, false],
  [-1e-17, 1e-17, false],
  [1e300, 1.0000001e300, false],
  [-1.7e308, 1.7e308, false],
])("from %d to %d is one number up to rounding: %s", (a, b, expected) => {
  expect(isOneNumber(Math.min(a, b), Math.max(a, b))).toBe(expected);
});
