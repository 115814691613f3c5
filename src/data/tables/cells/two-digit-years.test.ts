import { expect, test } from "vitest";
import { firstYearOf, fullYear } from "./two-digit-years.ts";

test.each<[digits: number, first: number, year: number]>([
  [29, 1930, 2029],
  [30, 1930, 1930],
  [68, 1930, 1968],
  [0, 1930, 2000],
  [49, 1950, 2049],
  [50, 1950, 1950],
  [99, 2000, 2099],
])("%i counted from %i is %i", (digits, first, year) => {
  expect(fullYear(digits, first)).toBe(year);
});

test.each<[what: string, digits: number[], first: number | undefined]>([
  ["one year", [24], 1930],
  ["years on one side of 29|30", [0, 4, 24], 1930],
  ["two groups with the limit far between them", [4, 24, 68], 1930],
  ["births from 1925 to 1999", Array.from({ length: 75 }, (_, i) => 25 + i), 1925],
  ["from 1960 to 2035", Array.from({ length: 76 }, (_, i) => (60 + i) % 100), 1960],
  ["from 1990 to 2024", Array.from({ length: 35 }, (_, i) => (90 + i) % 100), 1930],
  ["1924 to 1945, or 2024 to 2045", Array.from({ length: 22 }, (_, i) => 24 + i), undefined],
  ["every year", Array.from({ length: 100 }, (_, i) => i), undefined],
])("%s", (_, digits, first) => {
  expect(firstYearOf(digits)).toBe(first);
});
