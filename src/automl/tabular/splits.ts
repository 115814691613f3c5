/** From a table to the matrices of each split: rows, encoder, design, targets. All splits get one shape. */
import {
  encode,
  fitEncoder,
  inferTarget,
  randomKey,
  randomStream,
  split,
  standardizeTarget,
  type Encoder,
  type Split,
  type Table,
  type Target,
} from "../../data/index.ts";
import type { Tensor } from "../../program/tensor.ts";
import { tensor } from "../../program/tensor.ts";
import type { Rows, TrainingData } from "./problem.ts";
import type { TuneOptions } from "./types.ts";

/** The splits of one run. */
export interface Splits {
  /** The task, with the whole table's mean and scale for a regression. */
  target: Target;
  notes: string[];
  /** Rows with a target. */
  total: number;
  plans: SplitPlan[];
  /** Encoded columns, the most of any split; narrower ones are padded with columns of zeros. */
  width: number;
  /** Inputs of the encoder, the most of any split. */
  inputs: number;
}

/** One split, not yet encoded. */
export interface SplitPlan {
  /** Rows of the table. */
  rows: Split;
  /** Fitted on the training rows. */
  encoder: Encoder;
  /** Standardized on the training rows. */
  target: Target;
  /** [table rows], the number or the class index. */
  values: Float64Array;
}

/** The matrices of some rows, for programs and for plain TypeScript. */
export interface EncodedRows {
  /** [rows, encoder.width], without padding and bias. */
  matrix: Float32Array;
  /** [rows], the number or the class index. */
  values: Float64Array;
  count: number;
}

/**
 * Draws `repeats` splits, stratified by class, and fits an encoder on the training rows of each.
 * Part sizes are the same in every split.
 *
 * @throws DataError when the table cannot serve.
 */
export function planSplits(table: Table, options: TuneOptions): Splits {
  const { holdout, validation, seed, repeats } = options;
  const { target, values, rows, notes } = inferTarget(table, options.target, options.task, {
    ...(options.minClass === undefined ? {} : { minClass: options.minClass }),
  });
  const isRegression = target.task === "regression";
  const strata = isRegression ? {} : { strata: Int32Array.from(rows, (row) => values[row]!) };
  const fractions = { train: 1 - holdout - validation, validation, test: holdout };
  const plans = Array.from({ length: repeats }, (_, repeat): SplitPlan => {
    const splitSeed = randomStream(randomKey(seed, "tune split", repeat)).nextUint32();
    const drawn = split({ count: rows.length, ...strata, ...fractions, seed: splitSeed });
    const pick = (part: Int32Array): Int32Array => part.map((i) => rows[i]!);
    const parts = {
      train: pick(drawn.train),
      validation: pick(drawn.validation),
      test: pick(drawn.test),
    };
    return {
      rows: parts,
      encoder: fitEncoder(table, target.name, parts.train),
      target: standardizeTarget(target, values, parts.train),
      values,
    };
  });
  return {
    target,
    notes,
    total: rows.length,
    plans,
    width: Math.max(...plans.map(({ encoder }) => encoder.width)),
    inputs: Math.max(...plans.map(({ encoder }) => encoder.inputs.length)),
  };
}

/** Encodes rows of the table with a split's encoder. */
export function encodeRows(table: Table, plan: SplitPlan, rows: Int32Array): EncodedRows {
  return {
    matrix: encode(plan.encoder, table, rows),
    values: Float64Array.from(rows, (row) => plan.values[row]!),
    count: rows.length,
  };
}

/** The design with padding and a last column of ones, and the targets, as a program wants them. */
export function toRows(encoded: EncodedRows, plan: SplitPlan, width: number): Rows<Tensor> {
  const { matrix, values, count } = encoded;
  const own = plan.encoder.width;
  const x = new Float32Array(count * (width + 1));
  for (let i = 0; i < count; i++) {
    x.set(matrix.subarray(i * own, (i + 1) * own), i * (width + 1));
    x[i * (width + 1) + width] = 1;
  }
  return {
    x: tensor(x, { shape: [count, width + 1] }),
    y: tensor(targets(values, plan.target), { shape: [outputsOf(plan.target), count] }),
  };
}

/** Which encoded columns share an input's coefficient, [inputs, width + 1]; none for padding and bias. */
export function groupsOf(
  encoder: Encoder,
  inputs: number,
  width: number,
): TrainingData<Tensor>["groups"] {
  const groups = new Float32Array(inputs * (width + 1));
  encoder.group.forEach((input, j) => (groups[input * (width + 1) + j] = 1));
  return tensor(groups, { shape: [inputs, width + 1] });
}

/** Columns of scores: one, or one for each class of a multiclass target. */
export function outputsOf(target: Target): number {
  return target.task === "multiclass" ? target.classes.length : 1;
}

/** The standardized target, 0 and 1, or one-hot classes, [outputs, rows]. */
function targets(values: Float64Array, target: Target): Float32Array {
  if (target.task === "regression") {
    return Float32Array.from(values, (value) => (value - target.mean) / target.scale);
  }
  if (target.task === "binary") return Float32Array.from(values);
  const oneHot = new Float32Array(target.classes.length * values.length);
  values.forEach((value, i) => (oneHot[value * values.length + i] = 1));
  return oneHot;
}
