// What `predict` says about a new file, by a model that is made by hand.

import { expect, test } from "vitest";
import type { TabularModel } from "../../automl/tabular/model.ts";
import { alignTable } from "../../data/tables/align-table.ts";
import { parseTable } from "../../data/tables/reading/read-table.ts";
import type { ColumnKind } from "../../data/tables/cells/cell-format.ts";
import type { Table } from "../../data/tables/table.ts";
import { predictAligned, predictionTable } from "./output.ts";
import { ignoredColumns, missingTable, unseenTable } from "./remarks.ts";
import { scoreLines } from "./score.ts";

const encoder: TabularModel["encoder"] = {
  version: 1,
  inputs: [
    { kind: "numeric", name: "x", mean: 0, scale: 1, fill: 0, missingIndicator: false },
    { kind: "categorical", name: "kind", levels: ["1", "b"], other: false, missing: false },
  ],
  width: 3,
  group: [0, 1, 1],
  columnNames: ["x", "kind=1", "kind=b"],
  dropped: [{ name: "constant", reason: "the same everywhere" }],
};
const classes: TabularModel = {
  version: 1,
  family: "linear",
  target: { task: "binary", name: "y", classes: ["01", "1"] },
  encoder,
  fitted: { weights: [[4], [0], [0]], bias: [0] },
};
const numbers: TabularModel = {
  ...classes,
  target: { task: "regression", name: "y", mean: 0, scale: 1 },
  fitted: { weights: [[2], [0], [0]], bias: [0] },
};

function read(text: string, types: Record<string, ColumnKind> = { kind: "categorical" }): Table {
  return parseTable(new TextEncoder().encode(text), "new.csv", { types }).table;
}

function score(model: TabularModel, table: Table): string {
  const columns = table.columns.filter(({ name }) => name === "x" || name === "kind");
  const aligned = alignTable(encoder, { ...table, columns }).table;
  const answers = table.columns.find(({ name }) => name === "y")!;
  return scoreLines(model, predictAligned(model, aligned), answers, Infinity).join("\n");
}

test("classes are scored as they are written; unknown ones and missing ones are counted", () => {
  const table = read("x,kind,y\n2,1,1\n-2,1,01\n1,b,01\n1,b,no\n1,b,\n3,b,nor\n", {
    kind: "categorical",
    y: "categorical",
  });
  const said = score(classes, table);
  expect(said).toMatch(/^\nscored by "y" +3 rows\n-+\n/);
  // Two of three are right; recall is 1 of 2 for "01" and 1 of 1 for "1".
  expect(said).toMatch(/\naccuracy +0\.6667\nbalanced accuracy +0\.7500\n/);
  expect(said).toContain(
    'Not scored: 1 row without a target, 2 rows with a class that the model does not know, "no", "nor".',
  );
});

test("a class that is the same number otherwise written counts as it", () => {
  const table = read("x,kind,y\n2,1,1.0\n-2,1,0.0\n", { kind: "categorical", y: "categorical" });
  const twice: TabularModel = {
    ...classes,
    target: { task: "binary", name: "y", classes: ["0", "1"] },
  };
  expect(score(twice, table)).toContain("2 rows");
});

test("numbers are scored by the metrics of tune, the closed form of two rows", () => {
  // Predictions are 2 and 4, off by 1 and −1: RMSE 1, MAE 1, R² 1 − 2/8.
  const said = score(numbers, read("x,kind,y\n1,1,1\n2,b,5\n0,b,\n"));
  expect(said).toMatch(/\nRMSE +1\.000\nMAE +1\.000\nR² +0\.7500\n/);
  expect(said).toContain("Not scored: 1 row without a target.");
});

test("a target without a value is not scored, and that is said", () => {
  expect(score(numbers, read("x,kind,y\n1,1,\n2,b,\n"))).toBe(
    'The predictions are not scored by "y": 2 rows without a target.',
  );
});

test("unseen levels and cells that training never missed are counted by column", () => {
  const table = read("x,kind,more\n1,c,a\n,c,b\n2,1.0,c\n3,,d\n");
  const columns = table.columns.filter(({ name }) => name !== "more");
  const { table: aligned, unseen } = alignTable(encoder, { ...table, columns });
  expect(unseenTable(unseen, 4, Infinity).join("\n")).toMatch(/\nkind +2 of 4 rows +"c"$/);
  const missing = missingTable(encoder, aligned, Infinity).join("\n");
  expect(missing).toMatch(/\nx +1 of 4 rows +the median of the training rows\n/);
  expect(missing).toMatch(/\nkind +1 of 4 rows +no level$/);
  expect(unseenTable([], 4, Infinity)).toEqual([]);
});

test("columns that are not used are a count and the first five, dropped ones among them", () => {
  const table = read("a,b,x,kind,c,constant,d,e,f,y\n1,1,1,1,1,1,1,1,1,1\n");
  expect(ignoredColumns(encoder, table, ["y"])).toEqual([
    '7 columns of new.csv are not used by the model: "a", "b", "c", "constant", "d" and 2 more.',
  ]);
  expect(ignoredColumns(encoder, table, ["y", "a", "b", "c", "constant", "d", "e", "f"])).toEqual(
    [],
  );
});

test("the id is the first column of the output", () => {
  const table = read("id,x,kind\n007,1,1\n008,-1,b\n", { id: "categorical", kind: "categorical" });
  const columns = table.columns.slice(1);
  const aligned = alignTable(encoder, { ...table, columns }).table;
  const output = predictionTable(classes, predictAligned(classes, aligned), [table.columns[0]!]);
  expect(output.columns.map(({ name }) => name)).toEqual([
    "id",
    "prediction",
    "probability_01",
    "probability_1",
  ]);
  expect(output.columns[0]).toMatchObject({ levels: ["007", "008"] });
});
