import { describe, expect, test } from "vitest";
import {
  formatCount,
  formatEstimate,
  formatNumber,
  formatPercent,
  formatSeconds,
} from "./readable-numbers.ts";

describe("formatNumber", () => {
  test.each([
    [0, "0"],
    [0.35214, "0.3521"],
    [12.345678, "12.35"],
    [99999, "99999"],
    [123456, "1.235e5"],
    [0.00012, "1.2e-4"],
    [-0.5, "-0.5000"],
    [NaN, "–"],
    [null, "–"],
    [Infinity, "∞"],
  ])("%s is %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

test("an estimate shows the decimals that its interval supports", () => {
  expect(formatEstimate(0.953212, 0.00431)).toBe("0.9532 ± 0.0043");
  expect(formatEstimate(12.3456, 1.7)).toBe("12.3 ± 1.7");
  expect(formatEstimate(48211.7, 950.2)).toBe("48212 ± 950");
  expect(formatEstimate(0.9532, NaN)).toBe("0.9532");
  expect(formatEstimate(0.9532, 0)).toBe("0.9532 ± 0");
  expect(formatEstimate(0.0001861, 0.000006)).toBe("(1.861 ± 0.060)e-4");
  expect(formatEstimate(-2.5e9, 3.1e8)).toBe("(-2.50 ± 0.31)e9");
});

test("seconds change their unit with their size", () => {
  expect([0.354, 3.21, 12.4, 185, 7800].map(formatSeconds)).toEqual([
    "0.35 s",
    "3.2 s",
    "12 s",
    "3 min 05 s",
    "2 h 10 min",
  ]);
  expect(formatSeconds(59.7)).toBe("1 min 00 s");
});

test("counts and percentages", () => {
  expect(formatCount(1, "row")).toBe("1 row");
  expect(formatCount(32561, "row")).toBe("32,561 rows");
  expect(formatCount(2, "class", "classes")).toBe("2 classes");
  expect([0, 0.0004, 0.0213, 0.4, 0.9934, 0.99999, 1].map(formatPercent)).toEqual([
    "0 %",
    "<0.1 %",
    "2.1 %",
    "40 %",
    "99.3 %",
    ">99.9 %",
    "100 %",
  ]);
});
