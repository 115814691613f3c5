import fc from "fast-check";
import { expect, test } from "vitest";
import { countCopies } from "./count-copies.ts";
import { parseTable } from "./reading/read-table.ts";

const read = (text: string): ReturnType<typeof parseTable>["table"] =>
  parseTable(new TextEncoder().encode(text), "data.csv", { header: true }).table;
const all = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

test("rows that repeat an earlier one, missing cells and both zeros included", () => {
  const table = read("id,a,b\n1,0,x\n2,-0,x\n3,,x\n4,,x\n5,0,y\n6,0,x\n");
  expect(countCopies(table, all(6))).toBe(0);
  expect(countCopies(table, all(6), ["id"])).toBe(3);
  expect(countCopies(table, Int32Array.of(0, 4, 5), ["id"])).toBe(1);
  expect(countCopies(table, all(6), ["id", "a", "b"])).toBe(0);
});

test("counts as a set of the rows' texts does", () => {
  const cell = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 60 }), (rows) => {
      const lines = rows.map(([a, b, c]) => `${a},t${b},${c / 7}`);
      const table = read(["a,b,c", ...lines, ""].join("\n"));
      expect(countCopies(table, all(rows.length))).toBe(rows.length - new Set(lines).size);
    }),
    { seed: 5 },
  );
});
