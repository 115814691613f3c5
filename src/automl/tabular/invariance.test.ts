/** A model does not depend on the units of a table: what an affine change of a column does to predictions, and only that. */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { DataError, parseTable, type Table } from "../../data/index.ts";
import { randomKey, randomStream } from "../../random/index.ts";
import { exportModel } from "./export-model.ts";
import { predictTable } from "./predict.ts";
import { tune } from "./tune.ts";
import type { TabularModel } from "./model.ts";
import type { TuneOptions } from "./types.ts";

const rows = 80;
const options: TuneOptions = {
  target: "y",
  holdout: 0.2,
  seed: 0,
  repeats: 1,
  steps: 5,
  threads: 1,
};

/** Two numbers and a target that hangs on both, in other units: c·x + d and a·y + b. */
function tableOf(units: { c?: number; d?: number; a?: number; b?: number }): Table {
  const { c = 1, d = 0, a = 1, b = 0 } = units;
  const stream = randomStream(randomKey(3, "units"));
  // Multiples of 1/1024: with the offsets below, float64 holds every value exactly.
  const draw = (): number => Math.round(1024 * stream.normal()) / 1024;
  const base = Array.from({ length: rows }, () => [draw(), draw(), draw()] as const);
  const numeric = (name: string, values: number[]): Table["columns"][number] => {
    return { kind: "numeric", name, values: Float64Array.from(values) };
  };
  const columns = [
    numeric(
      "x",
      base.map(([x]) => c * x + d),
    ),
    numeric(
      "z",
      base.map(([, z]) => z),
    ),
    numeric(
      "y",
      base.map(([x, z, e]) => a * (2 * x - z + e / 2) + b),
    ),
  ];
  return { source: "units", rowCount: rows, columns };
}

async function predictions(table: Table): Promise<{ plain: Float64Array; onnx: Float64Array }> {
  const { model } = await tune(table, options);
  const prediction = predictTable(model, table);
  if (prediction.task !== "regression") throw new Error("a regression was expected");
  return { plain: prediction.values, onnx: await runOnnx(model, table) };
}

async function runOnnx(model: TabularModel, table: Table): Promise<Float64Array> {
  const session = await ort.InferenceSession.create(exportModel(model));
  const feeds = Object.fromEntries(
    session.inputNames.map((name) => {
      const column = table.columns.find((candidate) => candidate.name === name)!;
      if (column.kind !== "numeric") throw new Error("numbers were expected");
      return [name, new ort.Tensor("float64", column.values, [table.rowCount, 1])];
    }),
  );
  const { prediction } = await session.run(feeds);
  await session.release();
  return prediction!.data as Float64Array;
}

/**
 * Standardized values differ by the rounding of the offset, at most 1e-16·|d|/c, and are then rounded to float32: hardly any
 * differs at all. What is left is a unit in the last place of the offset itself.
 */
const tolerance = 1e-6;

describe.each([
  { a: 100, b: 1.7e9 },
  { a: -3e-30 },
  { a: 1e38, b: -5e37 },
  { a: 1e300 },
  { c: 60, d: 1.7e9 },
  { c: -1e-30 },
  { c: 1e300 },
  { c: 1, d: 1e9, a: 1e-3, b: 2024 },
])("units %o", (units) => {
  test("predictions move with the target's units and not with the inputs'", async () => {
    const { a = 1, b = 0 } = units as { a?: number; b?: number };
    const base = await predictions(tableOf({}));
    const moved = await predictions(tableOf(units));
    for (const output of ["plain", "onnx"] as const) {
      base[output].forEach((p, i) =>
        expect(Math.abs((moved[output][i]! - b) / a - p)).toBeLessThan(tolerance),
      );
    }
    // Both outputs resolve the same rows.
    expect(new Set(moved.onnx).size).toBe(new Set(base.onnx).size);
    expect(new Set(moved.plain).size).toBe(new Set(base.plain).size);
  });
});

test("a column that varies by rounding only is constant, whatever new rows say", async () => {
  const table = tableOf({});
  const values = Float64Array.from({ length: rows }, (_, i) =>
    i % 3 === 0 ? 14.620000000000001 : 14.62,
  );
  const columns = [{ kind: "numeric", name: "almost", values } as const, ...table.columns];
  const { model } = await tune({ ...table, columns }, options);
  expect(model.encoder.inputs.map(({ name }) => name)).toEqual(["x", "z"]);
  expect(model.encoder.dropped).toEqual([
    { name: "almost", reason: "the value 14.62 in every training row, up to rounding" },
  ]);
});

test("a target that varies by rounding only is refused", async () => {
  const lines = Array.from({ length: 40 }, (_, i) => `${i},${i % 2 ? 0.3 : 0.1 + 0.2}`);
  const { table } = parseTable(new TextEncoder().encode(`x,y\n${lines.join("\n")}\n`), "t.csv");
  await expect(tune(table, options)).rejects.toThrow(DataError);
  await expect(tune(table, options)).rejects.toThrow(/every row has the value 0.3, up to rounding/);
});
