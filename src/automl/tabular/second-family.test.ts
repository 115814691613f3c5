/**
 * The seam of families, proved by a second one: nearest centroids, with nothing in common with linear models but the
 * interface. It is tuned, judged, written to ONNX and to JSON, read back and asked for predictions through the public door.
 */
import * as ort from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { randomKey, randomStream, type Column, type Table } from "../../data/index.ts";
import {
  checkModel,
  decodeCheckpoint,
  encodeCheckpoint,
  encodeTabularModel,
  exportModel,
  predictTable,
  tune,
  type EncodedRows,
  type Method,
  type ModelFamily,
  type SplitPlan,
  type TuneCheckpoint,
  type TuneResult,
} from "../index.ts";
import { outputsOf } from "../families/rows.ts";

/** Scores are −½·sharpness·‖x − c_k‖²; what all classes share cancels. */
interface Centroids {
  /** [classes][width] */
  readonly centres: readonly (readonly number[])[];
  readonly sharpness: number;
}
interface Sharpness {
  readonly sharpness: number;
}
interface OpenSplit {
  readonly plan: SplitPlan;
  readonly rows: EncodedRows;
}

const methodOf = (name: string, candidates: readonly number[]): Method<Sharpness, OpenSplit> => ({
  name,
  title: name,
  shortTitle: name,
  called: `the ${name} sharpness`,
  role: "baseline",
  choose: ({ plan, rows }) => {
    const losses = candidates.map((sharpness) => heldOutLoss(plan, rows, sharpness));
    const best = losses.indexOf(Math.min(...losses));
    const found = {
      config: { sharpness: candidates[best]! },
      validationLoss: losses[best]!,
      cut: false,
    };
    return Promise.resolve(found);
  },
});

const centroids: ModelFamily<Sharpness, Centroids, OpenSplit> = {
  name: "centroids",
  tasks: ["binary", "multiclass"],
  methods: [methodOf("plain", [1]), methodOf("best", [0.03, 0.1, 0.3, 1])],
  checkConfig: (value) => {
    const { sharpness } = Object(value) as Partial<Sharpness>;
    return typeof sharpness === "number" ? { sharpness } : undefined;
  },
  open: ({ splits, encode }) =>
    Promise.resolve({
      split: (repeat) => {
        const plan = splits[repeat]!;
        return Promise.resolve({ plan, rows: encode(plan, plan.rows) });
      },
      transfer: (config) => config,
      fit: (plan, rows, { sharpness }) =>
        Promise.resolve({ model: fit(encode(plan, rows), plan.target, sharpness) }),
      dispose: () => Promise.resolve(),
    }),
  scores: (model, x, rows) => {
    const { weights, biases } = affine(model);
    const result = new Float64Array(rows * biases.length);
    const width = weights.length;
    for (let i = 0; i < rows; i++) {
      biases.forEach((bias, k) => {
        const sum = weights.reduce((total, row, j) => total + row[k]! * x[i * width + j]!, bias);
        result[i * biases.length + k] = sum;
      });
    }
    return result;
  },
  toOnnx: (model, { graph, matrix }) => {
    const { weights, biases } = affine(model);
    const shape = [weights.length, biases.length];
    const factor = graph.doubles("centres", shape, weights.flat());
    const shift = graph.doubles("shift", [1, biases.length], biases);
    return graph.add("Gemm", [matrix(), factor, shift], "closeness");
  },
  encode: ({ centres, sharpness }) => ({ centres, sharpness }),
  decode: ({ centres, sharpness }) => ({ centres, sharpness }) as Centroids,
  called: () => "nearest-centroid classifier",
  describe: ({ sharpness }) => ({ words: `the sharpness ${sharpness}`, numbers: { sharpness } }),
};
const family: ModelFamily = centroids;

/** Differences of scores as x·weights + biases; two classes have one. */
function affine({ centres, sharpness }: Centroids): { weights: number[][]; biases: number[] } {
  const from = centres.length === 2 ? centres[0]! : centres[0]!.map(() => 0);
  const own = centres.length === 2 ? [centres[1]!] : centres;
  const square = (c: readonly number[]): number => c.reduce((sum, v) => sum + v * v, 0);
  return {
    weights: from.map((low, j) => own.map((c) => sharpness * (c[j]! - low))),
    biases: own.map((c) => (-sharpness / 2) * (square(c) - square(from))),
  };
}

function fit(
  { matrix, values, count }: EncodedRows,
  target: SplitPlan["target"],
  sharpness: number,
  weight: ArrayLike<number> = new Uint8Array(count).fill(1),
): Centroids {
  const classes = target.task === "regression" ? [] : target.classes;
  const width = matrix.length / count;
  const sums = classes.map(() => new Float64Array(width));
  const counts = classes.map(() => 0);
  for (let i = 0; i < count; i++) {
    if (weight[i] === 0) continue;
    counts[values[i]!]!++;
    for (let j = 0; j < width; j++) sums[values[i]!]![j]! += matrix[i * width + j]!;
  }
  return { sharpness, centres: sums.map((sum, k) => Array.from(sum, (v) => v / counts[k]!)) };
}

function heldOutLoss(
  { judge, trains, target }: SplitPlan,
  rows: EncodedRows,
  sharpness: number,
): number {
  let [sum, judged] = [0, 0];
  trains.forEach((own, fold) => {
    const scores = centroids.scores(fit(rows, target, sharpness, own), rows.matrix, rows.count);
    const outputs = outputsOf(target);
    judge.forEach((by, i) => {
      if (by !== fold) return;
      const row = [...scores.subarray(i * outputs, (i + 1) * outputs)];
      const all = outputs === 1 ? [0, row[0]!] : row;
      sum += Math.log(all.reduce((total, s) => total + Math.exp(s), 0)) - all[rows.values[i]!]!;
      judged++;
    });
  });
  return sum / judged;
}

/** Three classes around corners, a colour that goes with the class, a column with gaps. */
function flowers(names: readonly string[]): Table {
  const stream = randomStream(randomKey(11));
  const rowCount = 60 * names.length;
  const codes = Int32Array.from({ length: rowCount }, (_, i) => i % names.length);
  const near = (column: number): Column => ({
    kind: "numeric",
    name: `x${column}`,
    values: Float64Array.from(codes, (code) => 2 * Number(code === column) + stream.normal()),
  });
  const gaps = Float64Array.from(codes, () => stream.normal());
  const columns: Column[] = [
    { kind: "categorical", name: "class", codes, levels: names },
    near(0),
    {
      kind: "categorical",
      name: "colour",
      codes: codes.map((code) => (stream.normal() > 1 ? 0 : code)),
      levels: names.map((name) => `${name} hue`),
    },
    near(1),
    { kind: "numeric", name: "gaps", values: gaps.map((v) => (v > 1 ? NaN : v)) },
  ];
  return { source: "flowers", rowCount, columns };
}

describe.each([2, 3])("%i classes", (count) => {
  const names = ["iris", "lily", "rose"].slice(0, count);
  const table = flowers(names);
  const options = { target: "class", holdout: 0.2, seed: 3, repeats: 2, steps: 1, family };
  let result: TuneResult;
  const checkpoints: TuneCheckpoint[] = [];

  beforeAll(async () => {
    result = await tune(table, {
      ...options,
      onCheckpoint: (checkpoint) => void checkpoints.push(checkpoint),
    });
  });

  test("is tuned and judged: its best sharpness is no worse on held-out rows, and it beats guessing", () => {
    expect(result.completedRepeats).toBe(2);
    const [plain, best] = result.methods;
    best!.validationLoss.forEach((loss, i) => {
      expect(loss).toBeLessThanOrEqual(plain!.validationLoss[i]!);
    });
    expect(result.chosen.expected!.mean).toBeLessThan(Math.log(count));
    expect(result.chosen.what).toBe(`the sharpness ${result.chosen.numbers["sharpness"]}`);
    expect(result.rule).toBeUndefined();
    expect(result.inputs.map(({ columns }) => columns)).toEqual([1, count, 1, 2]);
  });

  test("an interrupted run ends the same", async () => {
    const early = decodeCheckpoint(encodeCheckpoint(checkpoints[0]!));
    const resumed = await tune(table, { ...options, resume: early });
    expect(resumed.model).toEqual(result.model);
    expect(resumed.chosen).toEqual(result.chosen);
    const other = { ...options, family: { ...family, name: "other" }, resume: early };
    await expect(tune(table, other)).rejects.toThrow("belongs to another table or to other");
  });

  test("comes back from JSON, and ONNX Runtime says the same from raw columns", async () => {
    const text = JSON.stringify(encodeTabularModel(result.model, [family]));
    const model = checkModel(JSON.parse(text), "model.json", [family]);
    expect(model).toEqual(result.model);
    const prediction = predictTable(model, table, [family]);
    if (prediction.task === "regression") throw new Error("these are classes");
    const session = await ort.InferenceSession.create(exportModel(model, [family]));
    const feeds = Object.fromEntries(session.inputNames.map((name) => [name, feed(table, name)]));
    const { probabilities, label } = await session.run(feeds);
    // float32 against float64.
    (probabilities!.data as Float32Array).forEach((p, i) => {
      expect(p).toBeCloseTo(prediction.probabilities[i]!, 6);
    });
    expect(label!.data).toEqual(prediction.labels);
    await session.release();
  });

  test("nobody else reads its models", () => {
    expect(() => predictTable(result.model, table)).toThrow(
      'A model of the family "centroids" was made by another version',
    );
    const written = encodeTabularModel(result.model, [family]);
    expect(() => checkModel(written, "out/model.json")).toThrow(
      'out/model.json holds a model of the family "centroids", which this version does not know',
    );
  });
});

test("the target is all that has to be said", async () => {
  const table = flowers(["iris", "lily"]);
  const short = await tune(table, { target: "class", family });
  const defaults = { holdout: 0.2, folds: 5, seed: 0, repeats: 5, steps: 60 };
  const long = await tune(table, { target: "class", family, ...defaults });
  expect(short.completedRepeats).toBe(5);
  expect(short.model).toEqual(long.model);
  expect(short.methods.map(({ test: metrics }) => metrics)).toEqual(
    long.methods.map(({ test: metrics }) => metrics),
  );
});

test("what it does not do is refused in words", async () => {
  const table = flowers(["iris", "lily"]);
  const options = { holdout: 0.2, seed: 3, repeats: 1, steps: 1, family };
  await expect(tune(table, { ...options, target: "x0" })).rejects.toThrow(
    "the family centroids does not do regression; it does binary, multiclass",
  );
  await expect(tune(table, { ...options, target: "class", rule: "soba" })).rejects.toThrow(
    "the family centroids takes no rule",
  );
});

function feed(table: Table, name: string): ort.Tensor {
  const column = table.columns.find((candidate) => candidate.name === name)!;
  const shape = [table.rowCount, 1];
  if (column.kind === "numeric") return new ort.Tensor("float64", column.values, shape);
  return new ort.Tensor(
    "string",
    Array.from(column.codes, (code) => (code < 0 ? "" : column.levels[code]!)),
    shape,
  );
}
