/** What a family is given of a table: encoded rows, and who trains on them and is judged by them. */
import type { Encoder, Target } from "../../data/index.ts";

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
  /** Fold that judges each of `rows` and never trains on it; −1 for rows that only train. */
  judge: Int32Array;
  /** [folds], the set of hyperparameters of each. */
  sets: Int32Array;
  /** [folds][rows], 1 where the fold trains on the row. */
  trains: Uint8Array[];
}

/** The matrices of some rows, for programs and for plain TypeScript. */
export interface EncodedRows {
  /** [rows, encoder.width] */
  matrix: Float64Array;
  /** [rows], the number or the class index. */
  values: Float64Array;
  count: number;
}

/** Rows that a fold trains on, the mean over the folds. */
export function trainingRowsOf({ trains }: Pick<SplitPlan, "trains">): number {
  return trains.reduce((sum, own) => sum + own.reduce((a, b) => a + b, 0), 0) / trains.length;
}

/** How many rows are judged. */
export function judgedRows(judge: Int32Array): number {
  return judge.reduce((count, fold) => count + Number(fold >= 0), 0);
}

/** Columns of scores: one, or one for each class of a multiclass target. */
export function outputsOf(target: Target): number {
  return target.task === "multiclass" ? target.classes.length : 1;
}
