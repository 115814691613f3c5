/** What an encoder is: plain data about each input column, so that it serializes with a model. */

import type { CellFormat } from "./cells/cell-format.ts";

/** How a numeric column is encoded: standardized, with a 0/1 column for missing values if there were any. */
export interface NumericInput {
  readonly kind: "numeric";
  readonly name: string;
  /** Mean of the present training values. */
  readonly mean: number;
  /** Population standard deviation of the present training values; 1 if they are all equal up to rounding. */
  readonly scale: number;
  /** Replaces a missing value before standardization: the median of the present training values. */
  readonly fill: number;
  /** Whether training rows had missing values; adds a 0/1 column. */
  readonly missingIndicator: boolean;
  /** Least and largest present training value; absent in models of earlier versions. */
  readonly range?: readonly [low: number, high: number];
  /** How the training file wrote the numbers; absent for plain decimal notation. Dates are days since 1970-01-01. */
  readonly format?: CellFormat;
  /** Whether the numbers are plain and whole, so that they do not show what a point or a comma would mean. */
  readonly isWhole?: true;
  /** Words in the training file for a missing number, beside the usual ones. */
  readonly words?: readonly string[];
}

/** How a categorical column is encoded: one 0/1 column for each kept level, others and missing. */
export interface CategoricalInput {
  readonly kind: "categorical";
  readonly name: string;
  /** Levels with a column of their own, sorted by code unit. */
  readonly levels: readonly string[];
  /** Whether training rows had levels that were not kept; adds a column for these and unseen levels. */
  readonly other: boolean;
  /** Whether training rows had missing values; adds a column for these. */
  readonly missing: boolean;
}

/** How one column of a table becomes columns of the matrix. */
export type EncodedInput = NumericInput | CategoricalInput;

/** Plain data: it serializes with a model. */
export interface Encoder {
  readonly version: 1;
  readonly inputs: readonly EncodedInput[];
  /** Columns of the encoded matrix. */
  readonly width: number;
  /** [width], the index into `inputs` that each encoded column belongs to. */
  readonly group: readonly number[];
  /** [width], for example "age", "age=(missing)", "job=clerk", "job=(other)", "job=(missing)". */
  readonly columnNames: readonly string[];
  /** Words for a missing cell of any column, if some were given. */
  readonly missing?: readonly string[];
  /** Columns that carry no information in the training rows. */
  readonly dropped: readonly { readonly name: string; readonly reason: string }[];
}
