import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { defaultMissing, parseTable } from "./read-table.ts";
import type { CategoricalColumn, NumericColumn, Table } from "./table.ts";
import { formatTable } from "./write-table.ts";

test("quotes only where needed", () => {
  const table: Table = {
    source: "made",
    rowCount: 3,
    columns: [
      { kind: "numeric", name: "x, in m", values: Float64Array.of(0.1, NaN, -0) },
      {
        kind: "categorical",
        name: "b",
        codes: Int32Array.of(0, 1, -1),
        levels: ['say "hi"', "plain"],
      },
    ],
  };
  expect(formatTable(table)).toBe('"x, in m",b\n0.1,"say ""hi"""\n,plain\n-0,\n');
  expect(formatTable(table, { delimiter: ";" })).toBe('x, in m;b\n0.1;"say ""hi"""\n;plain\n-0;\n');
});

const level = fc
  .string({
    unit: fc.constantFrom("a", "B", "é", "😀", '"', ",", ";", "\n", "\r", " ", "1", "."),
    minLength: 1,
    maxLength: 8,
  })
  .filter(
    (text) =>
      text.trim() === text &&
      !defaultMissing.some((word) => word.toLowerCase() === text.toLowerCase()),
  );

const table = fc.integer({ min: 1, max: 20 }).chain((rowCount) => {
  const numeric = fc
    .array(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(NaN)), {
      minLength: rowCount,
      maxLength: rowCount,
    })
    .map((values): NumericColumn => ({
      kind: "numeric",
      name: "",
      values: Float64Array.from(values),
    }));
  const categorical = fc
    .array(fc.option(level), { minLength: rowCount, maxLength: rowCount })
    .map((cells): CategoricalColumn => {
      const levels = [...new Set(cells.filter((cell) => cell !== null))];
      const codes = Int32Array.from(cells, (cell) => (cell === null ? -1 : levels.indexOf(cell)));
      return { kind: "categorical", name: "", codes, levels };
    });
  return fc
    .array(fc.oneof(numeric, categorical), { minLength: 2, maxLength: 5 })
    .map((columns): Table => ({
      source: "made",
      rowCount,
      columns: columns.map((column, j) => ({ ...column, name: `name ${j}, "quoted"` })),
    }));
});

property.prop([table, fc.constantFrom(",", ";", "\t", "|")])(
  "written and read again, a table is the same",
  (written, delimiter) => {
    fc.pre(
      written.columns.some((column) =>
        (column.kind === "numeric" ? column.values : column.codes).some(
          (value) => value >= 0 || value < -1,
        ),
      ),
    );
    const types = Object.fromEntries(written.columns.map(({ name, kind }) => [name, kind]));
    const text = new TextEncoder().encode(formatTable(written, { delimiter }));
    expect(parseTable(text, "made", { delimiter, header: true, types }).table).toEqual(written);
  },
);
