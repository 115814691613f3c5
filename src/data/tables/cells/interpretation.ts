/** What is asked about a column, and what it is found to be. */
import type {
  Basis,
  CellFormat,
  ColumnKind,
  DateChoice,
  DateOrder,
  Decimal,
  LearnedFormat,
} from "./cell-format.ts";

/** The distinct cells of a column that are not empty, and how often each comes. */
export interface ColumnCells {
  readonly levels: readonly string[];
  /** [levels] */
  readonly counts: ArrayLike<number>;
}

/** What is known about a column beside its cells. */
export interface ColumnHints {
  /** The kind that was asked for; anything that is no number is then an error. */
  readonly wanted?: ColumnKind | undefined;
  /** How a model learned the column. Absent when there is no model. */
  readonly learned?: LearnedFormat | undefined;
  /** Words that the model's training file had for missing numbers. */
  readonly learnedWords?: readonly string[] | undefined;
  readonly decimal?: Decimal | undefined;
  readonly date?: DateChoice | undefined;
  readonly fileDecimal?: Decimal | undefined;
  readonly fileOrder?: DateOrder | undefined;
  /** What columns of the file show that the model did not learn for them. */
  readonly driftDecimals?: ReadonlySet<Decimal> | undefined;
  readonly driftOrders?: ReadonlySet<DateOrder> | undefined;
  readonly delimiter: string;
}

/** What the column is. */
export type Interpretation =
  | {
      readonly kind: "categorical";
      /** Why a column that looks like numbers is not one, and what to do, as the end of a sentence. */
      readonly why?: string;
    }
  | {
      readonly kind: "numeric";
      /** [levels], NaN for words. */
      readonly values: Float64Array;
      /** Absent for plain numbers. */
      readonly format?: CellFormat;
      /** Levels that stand for missing numbers. */
      readonly words: readonly number[];
      /** What decided the decimal sign or the order of dates. */
      readonly basis: Basis;
    }
  | {
      readonly kind: "refused";
      readonly level: number;
      /** What is wrong with the level, and what to do: the rest of a sentence that begins with it. */
      readonly why: string;
    };

/** A column that is refused for what one of its numbers or dates leaves open. */
export function refusedFor(
  levels: readonly number[],
  { cell, why }: { cell: number; why: string },
): Interpretation {
  return { kind: "refused", level: levels[cell]!, why };
}
