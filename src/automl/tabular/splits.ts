/**
 * From a table to the matrices of each split: rows, folds, encoder, design, targets. All splits get one shape. A split sets
 * test rows aside; the others choose the coefficients, on folds or on one validation part, and then train the model.
 */
import {
  DataError,
  encode,
  fitEncoder,
  inferTarget,
  randomKey,
  randomStream,
  split,
  standardizeTarget,
  type Encoder,
  type Table,
  type Target,
} from "../../data/index.ts";
import type { Tensor } from "../../program/tensors/tensor.ts";
import { tensor } from "../../program/tensors/tensor.ts";
import { assignFolds } from "./folds.ts";
import type { TuneOptions } from "./types.ts";

/** The splits of one run. */
export interface Splits {
  /** The task, with the whole table's mean and scale for a regression. */
  target: Target;
  notes: string[];
  /** Rows of the table that have a target, ascending. */
  rows: Int32Array;
  plans: SplitPlan[];
  /** Encoded columns, the most of any split; narrower ones are padded with columns of zeros. */
  width: number;
  /** Inputs of the encoder, the most of any split. */
  inputs: number;
}

/** How rows of a table are encoded. */
export interface EncodingPlan {
  encoder: Encoder;
  /** Standardized on the rows that the encoder was fitted on. */
  target: Target;
  /** [table rows], the number or the class index. */
  values: Float64Array;
}

/** One split, not yet encoded; encoder and target are fitted on all rows but the test rows. */
export interface SplitPlan extends EncodingPlan {
  /** Rows of the table that may choose and train, ascending. */
  rows: Int32Array;
  /** Rows of the table that are looked at once, ascending. */
  test: Int32Array;
  /** Follower that judges each of `rows` and never trains on it; −1 for rows that only train. */
  judge: Int32Array;
  /** [followers], the set of coefficients of each. */
  sets: Int32Array;
  /** [followers][rows], 1 where the follower trains on the row. */
  trains: Uint8Array[];
}

/** The matrices of some rows, for programs and for plain TypeScript. */
export interface EncodedRows {
  /** [rows, encoder.width], without padding and bias. */
  matrix: Float64Array;
  /** [rows], the number or the class index. */
  values: Float64Array;
  count: number;
}

/** Folds of a run without `validation`. */
export const defaultFolds = 5;

/**
 * Draws `repeats` splits, stratified by class, with an encoder for each. Part sizes are the same in every split.
 *
 * @throws DataError when the table cannot serve.
 */
export function planSplits(table: Table, options: TuneOptions): Splits {
  const { holdout, validation = 0, seed, repeats } = options;
  const { target, values, rows, notes } = inferTarget(table, options.target, options.task, {
    ...(options.minClass === undefined ? {} : { minClass: options.minClass }),
  });
  const isRegression = target.task === "regression";
  const classOf = (row: number): number => (isRegression ? 0 : values[row]!);
  const strata = isRegression ? {} : { strata: Int32Array.from(rows, classOf) };
  const fractions = { train: 1 - holdout - validation, validation, test: holdout };
  const plans = Array.from({ length: repeats }, (_, repeat): SplitPlan => {
    const stream = randomStream(randomKey(seed, "tune split", repeat));
    const drawn = split({ count: rows.length, ...strata, ...fractions, seed: stream.nextUint32() });
    const pick = (part: Int32Array): Int32Array => part.map((i) => rows[i]!);
    const validationRows = new Set(pick(drawn.validation));
    const own = Int32Array.from([...pick(drawn.train), ...validationRows]).sort();
    const { folds = defaultFolds } = options;
    if (validation === 0 && own.length < 2 * folds) {
      throw new DataError(
        `${table.source}: ${own.length} rows beside the test rows are too few for ${folds} folds; give more rows or fewer folds.`,
      );
    }
    return {
      ...planEncoding(table, target, values, own),
      rows: own,
      test: pick(drawn.test),
      ...assignFolds({
        strata: Int32Array.from(own, classOf),
        stream,
        ...(validation === 0
          ? { folds }
          : { validation: Uint8Array.from(own, (row) => Number(validationRows.has(row))) }),
      }),
    };
  });
  return {
    target,
    notes,
    rows,
    plans,
    width: Math.max(...plans.map(({ encoder }) => encoder.width)),
    inputs: Math.max(...plans.map(({ encoder }) => encoder.inputs.length)),
  };
}

/** Fits an encoder and a standardization to rows of the table. */
export function planEncoding(
  table: Table,
  target: Target,
  values: Float64Array,
  rows: Int32Array,
): EncodingPlan {
  return {
    encoder: fitEncoder(table, target.name, rows),
    target: standardizeTarget(target, values, rows),
    values,
  };
}

/** Encodes rows of the table. */
export function encodeRows(table: Table, plan: EncodingPlan, rows: Int32Array): EncodedRows {
  return {
    matrix: encode(plan.encoder, table, rows, "float64"),
    values: Float64Array.from(rows, (row) => plan.values[row]!),
    count: rows.length,
  };
}

/** The design with padding and a last column of ones, and the targets, float64. */
export function toDesign(
  encoded: EncodedRows,
  plan: EncodingPlan,
  width: number,
): { x: Tensor; y: Tensor } {
  const { matrix, values, count } = encoded;
  const own = plan.encoder.width;
  const x = new Float64Array(count * (width + 1));
  for (let i = 0; i < count; i++) {
    x.set(matrix.subarray(i * own, (i + 1) * own), i * (width + 1));
    x[i * (width + 1) + width] = 1;
  }
  return {
    x: tensor(x, { shape: [count, width + 1] }),
    y: tensor(targets(values, plan.target), { shape: [outputsOf(plan.target), count] }),
  };
}

/** Share of each row in its followers' training loss, [followers, 1, rows]. */
export function trainingShares({ trains }: Pick<SplitPlan, "trains">): Float64Array {
  const rows = trains[0]!.length;
  const result = new Float64Array(trains.length * rows);
  trains.forEach((own, f) => {
    const count = own.reduce((sum, one) => sum + one, 0);
    own.forEach((one, i) => (result[f * rows + i] = one / count));
  });
  return result;
}

/** Share of each row in the mean held-out loss, [followers, 1, rows]. */
export function judgingShares({
  judge,
  trains,
}: Pick<SplitPlan, "judge" | "trains">): Float64Array {
  const result = new Float64Array(trains.length * judge.length);
  const count = judgedRows(judge);
  judge.forEach((follower, i) => {
    if (follower >= 0) result[follower * judge.length + i] = 1 / count;
  });
  return result;
}

/** Rows that a follower trains on, the mean over the followers. */
export function trainingRowsOf({ trains }: Pick<SplitPlan, "trains">): number {
  return trains.reduce((sum, own) => sum + own.reduce((a, b) => a + b, 0), 0) / trains.length;
}

/** How many rows are judged. */
export function judgedRows(judge: Int32Array): number {
  return judge.reduce((count, follower) => count + Number(follower >= 0), 0);
}

/** Which encoded columns share an input's coefficient, [inputs, width + 1]; none for padding and bias. */
export function groupsOf(encoder: Encoder, inputs: number, width: number): Tensor {
  const groups = new Float32Array(inputs * (width + 1));
  encoder.group.forEach((input, j) => (groups[input * (width + 1) + j] = 1));
  return tensor(groups, { shape: [inputs, width + 1] });
}

/** Columns of scores: one, or one for each class of a multiclass target. */
export function outputsOf(target: Target): number {
  return target.task === "multiclass" ? target.classes.length : 1;
}

/** The standardized target, 0 and 1, or one-hot classes, [outputs, rows]. */
function targets(values: Float64Array, target: Target): Float64Array {
  if (target.task === "regression") {
    return values.map((value) => (value - target.mean) / target.scale);
  }
  if (target.task === "binary") return values;
  const oneHot = new Float64Array(target.classes.length * values.length);
  values.forEach((value, i) => (oneHot[value * values.length + i] = 1));
  return oneHot;
}
