import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { fitEncoder } from "../../data/index.ts";
import { randomKey, randomStream } from "../../data/index.ts";
import type { Column, Table } from "../../data/index.ts";
import type { Target } from "../../data/index.ts";
import { exportModel, onnxInputs } from "./export-model.ts";
import { predictTable, type Prediction } from "./predict.ts";
import type { TabularModel } from "./model.ts";

const targets: Target[] = [
  { task: "regression", name: "y", mean: 206855.8, scale: 115395.6 },
  { task: "binary", name: "y", classes: ["<=50K", ">50K"] },
  { task: "multiclass", name: "y", classes: ["setosa", "versicolor", "virginica"] },
];

describe.each(targets)("the exported model, $task", (target) => {
  test.each([0, 1, 2])(
    "gives the numbers of predictTable in plain onnxruntime, seed %i",
    async (seed) => {
      const train = randomTable(seed, 200, ["alpha", "beta", "gamma", 'δ, "quoted"']);
      const model = randomModel(train, target, seed);
      // Fresh rows: more missing cells than in training, and levels that training never saw.
      const fresh = randomTable(seed + 100, 57, ["alpha", "new", "gamma", "other new"]);
      const feeds = Object.fromEntries(
        onnxInputs(model).map(({ column, input }) => [input, feed(fresh, column)]),
      );
      const session = await ort.InferenceSession.create(exportModel(model));
      compare(await session.run(feeds), predictTable(model, fresh));
      await session.release();
    },
  );
});

test("one row, one column", async () => {
  const column: Column = { kind: "numeric", name: "x", values: Float64Array.of(1, 2, 4) };
  const table: Table = { source: "t", rowCount: 3, columns: [column] };
  const model: TabularModel = {
    version: 1,
    family: "linear",
    target: { task: "regression", name: "y", mean: 10, scale: 2 },
    encoder: fitEncoder(table, "y", Int32Array.of(0, 1, 2)),
    fitted: { weights: [[0.5]], bias: [0.25] },
  };
  const session = await ort.InferenceSession.create(exportModel(model));
  const x = new ort.Tensor("float64", Float64Array.of(4), [1, 1]);
  const { prediction } = await session.run({ x });
  // x has mean 7/3 and standard deviation √(14)/3 over 1, 2, 4.
  const expected = 10 + 2 * (0.25 + (0.5 * (4 - 7 / 3)) / (Math.sqrt(14) / 3));
  expect(prediction!.dims).toEqual([1]);
  expect((prediction!.data as Float64Array)[0]).toBeCloseTo(expected, 12);
  await session.release();
});

test("names that ONNX or the outputs need are replaced and listed", () => {
  const names = ["label", "label_2", "", "column", "a b", "probabilities"];
  const columns = names.map((name, j): Column => {
    return { kind: "numeric", name, values: Float64Array.of(j, 1, 2) };
  });
  const table: Table = { source: "t", rowCount: 3, columns };
  const encoder = fitEncoder(table, "y", Int32Array.of(0, 1, 2));
  const weights = encoder.columnNames.map(() => [0]);
  const model: TabularModel = {
    version: 1,
    family: "linear",
    target: targets[1]!,
    encoder,
    fitted: { weights, bias: [0] },
  };
  const inputs = onnxInputs(model);
  expect(inputs.map(({ column }) => column)).toEqual(encoder.inputs.map(({ name }) => name));
  const byColumn = Object.fromEntries(inputs.map(({ column, input }) => [column, input]));
  expect(byColumn).toEqual({
    label: "label_3",
    label_2: "label_2",
    "": "column_2",
    column: "column",
    "a b": "a b",
    probabilities: "probabilities_2",
  });
});

const python = "/usr/bin/python3";
const hasChecker = spawnSync(python, ["-c", "import onnx"]).status === 0;

test.skipIf(!hasChecker)(
  "the ONNX checker accepts the models (skipped without python3-onnx)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "stackelberg-"));
    try {
      for (const target of targets) {
        const table = randomTable(7, 100, ["alpha", "beta"]);
        const path = join(folder, `${target.task}.onnx`);
        writeFileSync(path, exportModel(randomModel(table, target, 7)));
        const script = `import onnx; m = onnx.load(${JSON.stringify(path)}); onnx.checker.check_model(m, full_check=True); print(sorted(p.key for p in m.metadata_props))`;
        const { status, stdout, stderr } = spawnSync(python, ["-c", script], { encoding: "utf8" });
        expect(stderr).toBe("");
        expect(status).toBe(0);
        expect(stdout).toContain("stackelberg.encoder");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** Numbers with and without missing cells, of several magnitudes, and two categorical columns. */
function randomTable(seed: number, rows: number, levels: readonly string[]): Table {
  const stream = randomStream(randomKey(seed, "table"));
  const numeric = (name: string, centre: number, spread: number, missing: number): Column => {
    const values = Float64Array.from({ length: rows }, () =>
      stream.uniform() < missing ? NaN : centre + spread * stream.normal(),
    );
    return { kind: "numeric", name, values };
  };
  const categorical = (name: string, missing: number): Column => {
    const codes = Int32Array.from({ length: rows }, () =>
      stream.uniform() < missing ? -1 : stream.integer(levels.length),
    );
    return { kind: "categorical", name, codes, levels };
  };
  const columns = [
    numeric("age", 40, 12, 0),
    categorical("job, present", 0),
    numeric("income", 8e8, 1e5, 0.2),
    numeric("ratio", 1e-6, 1e-7, 0.1),
    categorical("job, sometimes", 0.3),
  ];
  return { source: "random", rowCount: rows, columns };
}

function randomModel(table: Table, target: Target, seed: number): TabularModel {
  const stream = randomStream(randomKey(seed, "weights"));
  const rows = Int32Array.from({ length: table.rowCount }, (_, i) => i);
  const encoder = fitEncoder(table, target.name, rows, { minLevelCount: 45 });
  const outputs = target.task === "multiclass" ? target.classes.length : 1;
  const draw = (): number[] => Array.from({ length: outputs }, () => Math.fround(stream.normal()));
  const fitted = { weights: encoder.columnNames.map(draw), bias: draw() };
  return { version: 1, family: "linear", target, encoder, fitted };
}

function feed(table: Table, name: string): ort.Tensor {
  const column = table.columns.find((candidate) => candidate.name === name)!;
  const dims = [table.rowCount, 1];
  if (column.kind === "numeric") return new ort.Tensor("float64", column.values, dims);
  const text = Array.from(column.codes, (code) => column.levels[code] ?? "");
  return new ort.Tensor("string", text, dims);
}

function compare(outputs: ort.InferenceSession.ReturnType, expected: Prediction): void {
  if (expected.task === "regression") {
    const actual = outputs["prediction"]!.data as Float64Array;
    expect(actual).toHaveLength(expected.values.length);
    // In units of the standardized target, where scores are sums of some ten terms of order 1 in float64.
    expected.values.forEach((value, i) =>
      expect(Math.abs(actual[i]! - value) / 115395.6).toBeLessThan(1e-13),
    );
    return;
  }
  const probabilities = outputs["probabilities"]!.data as Float32Array;
  expect(outputs["probabilities"]!.dims).toEqual([expected.labels.length, expected.classes.length]);
  // Rounded to float32 at the end.
  expected.probabilities.forEach((p, i) =>
    expect(Math.abs(probabilities[i]! - p)).toBeLessThan(1e-7),
  );
  expect(outputs["label"]!.data).toEqual(expected.labels);
}
