import { expect, test } from "vitest";
import { DataError, fitEncoder, type Column, type Table } from "../../data/index.ts";
import { predictTable } from "./predict.ts";
import type { TabularModel } from "./model.ts";

const columns: Column[] = [
  { kind: "numeric", name: "size", values: Float64Array.of(1, 3, NaN, 3) },
  { kind: "categorical", name: "kind", codes: Int32Array.of(0, 1, 0, 1), levels: ["a", "b"] },
];
const table: Table = { source: "t.csv", rowCount: 4, columns };
const encoder = fitEncoder(table, "y", Int32Array.of(0, 1, 2, 3), { minLevelCount: 1 });

function model(target: TabularModel["target"], weights: number[][], bias: number[]): TabularModel {
  return { version: 1, family: "linear", target, encoder, fitted: { weights, bias } };
}

test("regression: standardized columns times weights, in the target's unit", () => {
  expect(encoder.columnNames).toEqual(["size", "size=(missing)", "kind=a", "kind=b"]);
  const target = { task: "regression", name: "y", mean: 10, scale: 2 } as const;
  const prediction = predictTable(model(target, [[1], [0.5], [3], [4]], [0.25]), table);
  if (prediction.task !== "regression") throw new Error("regression was expected");
  // Mean 7/3 and standard deviation √(8/9) of 1, 3, 3; the missing cell becomes the median 3.
  const z = (x: number): number => (x - 7 / 3) / Math.sqrt(8 / 9);
  const scores = [z(1) + 3, z(3) + 4, z(3) + 0.5 + 3, z(3) + 4].map((s) => s + 0.25);
  scores.forEach((s, i) => expect(prediction.values[i]!).toBeCloseTo(10 + 2 * s, 5));
});

test("binary: probabilities of both classes, the more probable label", () => {
  const target = { task: "binary", name: "y", classes: ["no", "yes"] } as const;
  const prediction = predictTable(model(target, [[0], [0], [Math.log(3)], [-50]], [0]), table);
  if (prediction.task === "regression") throw new Error("classes were expected");
  expect(prediction.labels).toEqual(["yes", "no", "yes", "no"]);
  expect(prediction.probabilities[1]!).toBeCloseTo(0.75, 6);
  expect(prediction.probabilities[0]!).toBeCloseTo(0.25, 6);
  expect(prediction.probabilities[3]!).toBeCloseTo(Math.exp(-50), 30);
});

test("multiclass: probabilities add up to one and survive huge scores", () => {
  const target = { task: "multiclass", name: "y", classes: ["u", "v", "w"] } as const;
  const weights = [
    [0, 0, 0],
    [0, 0, 0],
    [1000, 0, -1000],
    [0, Math.log(2), 0],
  ];
  const prediction = predictTable(model(target, weights, [0, 0, 0]), table);
  if (prediction.task === "regression") throw new Error("classes were expected");
  expect(prediction.labels).toEqual(["u", "v", "u", "v"]);
  expect(Array.from(prediction.probabilities.subarray(0, 3))).toEqual([1, 0, 0]);
  const second = Array.from(prediction.probabilities.subarray(3, 6));
  [0.25, 0.5, 0.25].forEach((p, k) => expect(second[k]!).toBeCloseTo(p, 6));
});

test("a column that is absent is named", () => {
  const target = { task: "regression", name: "y", mean: 0, scale: 1 } as const;
  const fitted = model(target, [[1], [0], [0], [0]], [0]);
  const less = { ...table, columns: columns.slice(0, 1) };
  expect(() => predictTable(fitted, less)).toThrow(DataError);
  expect(() => predictTable(fitted, less)).toThrow(/"kind"/);
});
