import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { moments } from "./moments.ts";
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
