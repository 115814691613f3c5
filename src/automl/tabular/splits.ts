/**
 * From a table to the matrices of each split: rows, folds, encoder, design, targets. A split sets
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
  type Table,
  type Target,
} from "../../data/index.ts";
import { tuneDefaults } from "./defaults.ts";
import { assignFolds } from "./folds.ts";
import type { EncodedRows, EncodingPlan, SplitPlan } from "../families/rows.ts";
import type { FullTuneOptions } from "./types.ts";

/** The splits of one run. */
export interface Splits {
  /** The task, with the whole table's mean and scale for a regression. */
  target: Target;
  notes: string[];
  /** Rows of the table that have a target, ascending. */
  rows: Int32Array;
  plans: SplitPlan[];
}

/**
 * Draws `repeats` splits, stratified by class, with an encoder for each. Part sizes are the same in every split.
 *
 * @throws DataError when the table cannot serve.
 */
export function planSplits(table: Table, options: FullTuneOptions): Splits {
  const { holdout, validation = 0, seed, repeats } = options;
  const { target, values, rows, notes } = inferTarget(table, options.target, options.task, {
    minClass: options.minClass,
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
    const { folds = tuneDefaults.folds } = options;
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
