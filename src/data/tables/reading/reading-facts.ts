/** What the reading of a file decided, before it is put into sentences. */
import type { LearnedFormat } from "../cells/cell-format.ts";
import type { RaggedRows } from "./read-columns.ts";
import type { TableLayout } from "./table-layout.ts";

/** What the reading decided about one column. */
export interface ColumnNotes {
  readonly name: string;
  readonly isForced: boolean;
  readonly missing: number;
  /** Cells of a numeric column that stand for missing numbers. */
  readonly words: readonly { readonly word: string; readonly count: number }[];
  /** Whether the points of its plain numbers may group thousands. */
  readonly isEither: boolean;
  /** Why it is text although it looks like numbers. */
  readonly whyText: string | undefined;
  /** How a model learned it. */
  readonly learned: LearnedFormat | undefined;
  /** Line on which a level first appears. */
  readonly firstLine: (level: number) => number;
}

/** What the reading decided. */
export interface ReadingFacts {
  readonly layout: TableLayout;
  readonly encodingNotes: readonly string[];
  readonly headerGiven: boolean;
  readonly quotes: string | undefined;
  readonly ragged: RaggedRows | undefined;
  /** Rows at the end without a cell. */
  readonly emptyRows: number;
  /** What was done about totals. */
  readonly totalNotes: readonly string[];
  /** [columns of the table] */
  readonly columns: readonly ColumnNotes[];
  /** Columns without a name and without a cell, which are no part of the table. */
  readonly emptyColumns: number;
}
