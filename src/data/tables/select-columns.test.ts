import { expect, test } from "vitest";
import { fitEncoder } from "./encoder.ts";
import { parseTable } from "./reading/read-table.ts";
import { withoutColumns } from "./select-columns.ts";

const { table } = parseTable(
  new TextEncoder().encode("id,a,b,y\n1,3,5,x\n2,4,7,y\n3,5,6,x\n"),
  "data.csv",
);

test("columns go by name, position or last, and the encoder remembers why", () => {
  const less = withoutColumns(table, [
    { name: "id", reason: "an id" },
    { name: "3", reason: "asked for" },
    { name: "1", reason: "named twice" },
  ]);
  expect(less.columns.map(({ name }) => name)).toEqual(["a", "y"]);
  const { dropped } = fitEncoder(less, "y", Int32Array.of(0, 1, 2));
  expect(dropped).toEqual([
    { name: "id", reason: "an id" },
    { name: "b", reason: "asked for" },
  ]);
  const lesser = withoutColumns(less, [{ name: "last", reason: "the last one" }]);
  expect(lesser.leftOut?.map(({ name }) => name)).toEqual(["id", "b", "y"]);
});

test("nothing to take out is the same table; an unknown name is refused with what is close", () => {
  expect(withoutColumns(table, [])).toBe(table);
  expect(() => withoutColumns(table, [{ name: "idd", reason: "" }])).toThrow(/perhaps "id"/);
});
