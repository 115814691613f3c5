import { expect, test } from "vitest";
import { renderTable } from "./table.ts";
import { displayWidth, shorten, wrapWords } from "./text.ts";

const cells = (rows: string[][]): { text: string }[][] =>
  rows.map((row) => row.map((text) => ({ text })));

test("columns are aligned by display width", () => {
  const lines = renderTable(
    cells([
      ["name", "n"],
      ["表", "10"],
      ["é", "5"],
    ]),
    {
      width: Infinity,
      color: false,
    },
  );
  expect(lines).toEqual(["name   n", "--------", "表    10", "é      5"]);
  expect(displayWidth("e\u0301")).toBe(1);
});

test("a table that is too wide is transposed, then listed", () => {
  const rows = cells([
    ["method", "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"],
    ["x", "1", "2", "3"],
  ]);
  expect(renderTable(rows, { width: 20, color: false })).toEqual([
    "method      x",
    "-------------",
    "aaaaaaaaaa  1",
    "bbbbbbbbbb  2",
    "cccccccccc  3",
  ]);
  expect(renderTable(rows, { width: 10, color: false })[0]).toBe("x");
});

test("words are wrapped whole, and long texts are cut", () => {
  expect(wrapWords("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrapWords("a muchtoolongword b", 5)).toEqual(["a", "muchtoolongword", "b"]);
  expect(wrapWords("", 5)).toEqual([""]);
  expect(shorten("abcdef", 4)).toBe("abc…");
  expect(shorten("abcd", 4)).toBe("abcd");
});
