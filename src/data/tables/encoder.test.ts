import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { alignTable } from "./align-table.ts";
import { encode, fitEncoder, inputTypes } from "./encoder.ts";
import { parseTable } from "./reading/read-table.ts";
import { DataError } from "../data-error.ts";
import type { Table } from "./table.ts";

function tableOf(text: string, options: Parameters<typeof parseTable>[2] = {}): Table {
  return parseTable(new TextEncoder().encode(text), "data.csv", { header: true, ...options }).table;
}

const rowsOf = (table: Table): Int32Array =>
  Int32Array.from({ length: table.rowCount }, (_, i) => i);

const training = tableOf(
  [
    "age,job,flat,id,y",
    "2,clerk,7,a,0",
    "4,cook,7,b,1",
    ",clerk,7,c,0",
    "9,,7,d,1",
    "5,cook,7,e,0",
    "5,guard,7,f,1",
  ].join("\n"),
);
const encoder = fitEncoder(training, "y", rowsOf(training), { minLevelCount: 2 });

test("the fitted encoder, and it is plain data", () => {
  expect(encoder).toEqual({
    version: 1,
    inputs: [
      {
        kind: "numeric",
        name: "age",
        mean: 5,
        scale: expect.closeTo(Math.sqrt(26 / 5), 12),
        fill: 5,
        missingIndicator: true,
        range: [2, 9],
        isWhole: true,
      },
      { kind: "categorical", name: "job", levels: ["clerk", "cook"], other: true, missing: true },
    ],
    width: 6,
    group: [0, 0, 1, 1, 1, 1],
    columnNames: ["age", "age=(missing)", "job=clerk", "job=cook", "job=(other)", "job=(missing)"],
    dropped: [
      { name: "flat", reason: "the value 7 in every training row" },
      { name: "id", reason: "6 levels, none of them in 2 training rows" },
    ],
  });
  expect(JSON.parse(JSON.stringify(encoder))).toEqual(encoder);
});

test("encoding: standardized numbers, one-hot levels, other and missing columns", () => {
  const matrix = encode(encoder, training, Int32Array.of(0, 2, 3, 5));
  const scale = Math.sqrt(26 / 5);
  const expected = [
    [-3 / scale, 0, 1, 0, 0, 0],
    [0, 1, 1, 0, 0, 0],
    [4 / scale, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 1, 0],
  ];
  expect(matrix).toEqual(Float32Array.from(expected.flat()));
});

test("a level never seen goes to the other column, or nowhere if there is none", () => {
  const seen = tableOf("a,b\nx,x\ny,y\nx,x\ny,y\nz,x\n");
  const fitted = fitEncoder(seen, "", rowsOf(seen), { minLevelCount: 2 });
  expect(fitted.columnNames).toEqual(["a=x", "a=y", "a=(other)", "b=x", "b=y"]);
  const later = tableOf("a,b\nnew,new\n,\nz,y\n");
  expect([...encode(fitted, later, rowsOf(later))]).toEqual([
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1,
  ]);
});

test("only training rows count", () => {
  const table = tableOf("a,b,c\n1,x,\n3,x,5\n100,y,6\n");
  const fitted = fitEncoder(table, "", Int32Array.of(0, 1), { minLevelCount: 1 });
  const whole = { kind: "numeric", scale: 1, isWhole: true };
  expect(fitted.inputs).toEqual([
    { ...whole, name: "a", mean: 2, fill: 2, missingIndicator: false, range: [1, 3] },
    { ...whole, name: "c", mean: 5, fill: 5, missingIndicator: true, range: [5, 5] },
  ]);
  expect(fitted.dropped).toEqual([{ name: "b", reason: 'the value "x" in every training row' }]);
});

test("the most frequent levels are kept, ties by code unit", () => {
  const table = tableOf(
    "a,y\n" + ["c", "c", "b", "b", "a", "a", "d", "d", "d"].map((level) => `${level},1\n`).join(""),
  );
  const fitted = fitEncoder(table, "y", rowsOf(table), { minLevelCount: 1, maxLevels: 2 });
  expect(fitted.columnNames).toEqual(["a=a", "a=d", "a=(other)"]);
});

test("presence alone is kept when no level is frequent", () => {
  const table = tableOf("cabin,y\nC1,1\n,0\nC2,1\n,0\n");
  expect(fitEncoder(table, "y", rowsOf(table)).columnNames).toEqual([
    "cabin=(other)",
    "cabin=(missing)",
  ]);
});

test("huge values stay finite", () => {
  const table = tableOf("a,y\n1e308,0\n-1e308,1\n1.5e308,0\n");
  const matrix = encode(fitEncoder(table, "y", rowsOf(table)), table, rowsOf(table));
  expect(matrix.every(Number.isFinite)).toBe(true);
  expect(matrix.reduce((a, b) => a + b)).toBeCloseTo(0, 5);
});

test("nothing left is an error that says why", () => {
  const table = tableOf("a,b,y\n1,,0\n1,,1\n");
  expect(() => fitEncoder(table, "y", rowsOf(table))).toThrow(
    'data.csv: no input column is left beside the target "y": "a" (the value 1 in every training row), "b" (no value in the training rows); add columns that vary.',
  );
});

test("nothing left: rare levels and options have their own advice, many columns are counted", () => {
  const names = Array.from({ length: 10 }, (_, i) => `k${i}`);
  const rows = Array.from({ length: 4 }, (_, i) => `${names.map(() => `t${i}`).join(",")},${i}`);
  const table = tableOf(`${names.join(",")},y\n${rows.join("\n")}\n`);
  expect(() => fitEncoder(table, "y", rowsOf(table))).toThrow(
    /"k7" \(4 levels, none of them in 10 training rows\) and 2 more; add columns that vary, or add rows, or join rare levels into fewer\.$/,
  );
  const one = tableOf("y\n1\n2\n");
  expect(() => fitEncoder(one, "y", rowsOf(one))).toThrow(/because it is the only column; add/);
});

describe("a new table", () => {
  test("columns in another order, and others", () => {
    const later = tableOf("extra,job,flat,age\n1,cook,3,9\n");
    expect(encode(encoder, later, rowsOf(later))).toEqual(
      encode(encoder, tableOf("age,job\n9,cook\n"), rowsOf(later)),
    );
    const { table, notes } = alignTable(encoder, later);
    expect(table.columns.map(({ name }) => name)).toEqual(["age", "job"]);
    expect(notes).toEqual(['The model does not use 1 column of data.csv: "extra".']);
  });

  test("missing columns are named", () => {
    const later = tableOf("flat,x\n1,2\n");
    expect(() => encode(encoder, later, rowsOf(later))).toThrow(
      new DataError(
        'data.csv: 2 columns that the model needs are missing, "age", "job"; add them, or check whether the file has a header.',
      ),
    );
  });

  test("text where numbers are needed", () => {
    const later = tableOf("age,job\n3,cook\nold,cook\n");
    expect(() => alignTable(encoder, later)).toThrow(
      'data.csv, column "age": the model needs numbers, the column holds text such as "old"; correct it or leave the cell empty.',
    );
  });

  test("numbers where categories are needed, and the reverse", () => {
    const codes = tableOf("zip,n,y\n1,1,0\n2,2,1\n1,3,0\n", { types: { zip: "categorical" } });
    const fitted = fitEncoder(codes, "y", rowsOf(codes), { minLevelCount: 1 });
    const later = tableOf("zip,n\n2,1\n,3\n", { types: { n: "categorical" } });
    const { columns } = alignTable(fitted, later).table;
    expect(columns).toEqual([
      { kind: "categorical", name: "zip", codes: Int32Array.of(0, -1), levels: ["2"] },
      { kind: "numeric", name: "n", values: Float64Array.of(1, 3) },
    ]);
    const typed = tableOf("zip,n\n02,1\n", { types: inputTypes(fitted) });
    expect(typed.columns[0]).toEqual({
      kind: "categorical",
      name: "zip",
      codes: Int32Array.of(0),
      levels: ["02"],
    });
  });
});

const cell = fc.option(fc.constantFrom("a", "b", "c", "d", "e"), { freq: 5 });

property.prop([
  fc.array(fc.tuple(cell, cell), { minLength: 2, maxLength: 60 }),
  fc.integer({ min: 1, max: 6 }),
])(
  "each training row has a single 1 among the columns of a categorical input",
  (cells, minLevelCount) => {
    const text = cells.map(([a, b], i) => `${a ?? ""},${b ?? ""},${i}\n`).join("");
    const table = tableOf(`a,b,n\n${text}`, { types: { a: "categorical", b: "categorical" } });
    const rows = rowsOf(table);
    const fitted = fitEncoder(table, "", rows, { minLevelCount });
    const matrix = encode(fitted, table, rows);
    for (const [i, input] of fitted.inputs.entries()) {
      if (input.kind !== "categorical") continue;
      for (const row of rows) {
        const part = fitted.group.flatMap((g, j) =>
          g === i ? [matrix[row * fitted.width + j]!] : [],
        );
        expect(part.toSorted()).toEqual([...part.slice(1).fill(0), 1]);
      }
    }
  },
);

property.prop([
  fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 50 }),
])("standardized training values have mean 0 and variance 1", (numbers) => {
  // Spread out far enough that float32 resolves the values.
  const values = Float64Array.from(numbers, (value, i) => value + 1000 * i);
  const table: Table = {
    source: "made",
    rowCount: values.length,
    columns: [{ kind: "numeric", name: "x", values }],
  };
  fc.pre(Math.max(...values) - Math.min(...values) > 1e-3);
  const matrix = encode(fitEncoder(table, "", rowsOf(table)), table, rowsOf(table));
  const mean = matrix.reduce((sum, value) => sum + value / matrix.length, 0);
  const square = matrix.reduce((sum, value) => sum + (value * value) / matrix.length, 0);
  expect(Math.abs(mean)).toBeLessThan(1e-5);
  expect(Math.abs(square - 1)).toBeLessThan(1e-5);
});
