import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { cleanCell } from "./reading/clean-cell.ts";
import { parseTable } from "./reading/read-table.ts";
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
  .filter((text) => text !== "" && cleanCell(text) === text);

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
    // Rows at the end without a cell are no rows.
    const last = written.rowCount - 1;
    fc.pre(
      written.columns.some((column) =>
        column.kind === "numeric" ? !Number.isNaN(column.values[last]) : column.codes[last]! >= 0,
      ),
    );
    const types = Object.fromEntries(written.columns.map(({ name, kind }) => [name, kind]));
    const text = new TextEncoder().encode(formatTable(written, { delimiter }));
    const { table: read } = parseTable(text, "made", { delimiter, header: true, types });
    const columns = read.columns.map((column) => {
      if (column.kind === "categorical") return column;
      const { kind, name, values } = column;
      return { kind, name, values };
    });
    expect({ ...read, columns }).toEqual(written);
  },
);
