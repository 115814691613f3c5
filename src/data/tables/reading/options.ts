/** What a caller may say about a file that would otherwise be found out. */
import type { ColumnKind, DateChoice, Decimal, LearnedFormat } from "../cells/cell-format.ts";

/** How a file is written and its columns are meant, where that shall not be found out. */
export interface ReadTableOptions {
  /** Whether the first record names the columns. Default: found out. Without one they are c1, c2, … */
  readonly header?: boolean;
  /**
   * Names the caller will ask for, such as the target's. A first record that holds one of them is a
   * header; so is one that holds a key of `types`. Ignored when `header` is given.
   */
  readonly expectedNames?: readonly string[];
  /** Whether the expected names are those of a file without a header: then only a first record that holds one is one. */
  readonly placesAsNames?: boolean;
  /** One character; a blank stands for runs of blanks. Default: found out among comma, semicolon, tab, bar and blanks. */
  readonly delimiter?: string;
  /**
   * Words for a missing cell in every column, in any case. Default: none but the empty cell. In columns of numbers
   * {@link defaultMissing} and other usual placeholders are missing cells anyway, and in columns of text they are text.
   */
  readonly missing?: readonly string[];
  /** Most bytes that a gzip file may unpack to; default 256 million. */
  readonly maxUnpacked?: number;
  /**
   * Types to use instead of the inferred ones. A record must name existing columns; a function is asked
   * for each column and may decline with undefined.
   */
  readonly types?:
    Readonly<Record<string, ColumnKind>> | ((name: string) => ColumnKind | undefined);
  /** A column by name, position or "last" whose cells are labels: they are read as text, just as they are written. */
  readonly labels?: string;
  /** Decimal sign of numbers such as 1.234 or 1,234, which could be meant either way. Default: found out. */
  readonly decimal?: Decimal;
  /**
   * Order of dates such as 3/4/2024, for all columns or by name; dmy@1950 also takes two-digit years as those from 1950
   * to 2049. Default: found out.
   */
  readonly dates?: DateChoice | Readonly<Record<string, DateChoice>>;
  /** A name of the WHATWG Encoding Standard. Default: UTF-8, UTF-16 or Windows-1252, found out. */
  readonly encoding?: string;
  /** Lines above the table to leave out. Default: found out. */
  readonly skip?: number;
  /** Rows at the end to leave out, such as totals. Default: found out. */
  readonly footer?: number;
  /** Whether rows with another number of cells are left out. Default false: they are an error. */
  readonly dropRagged?: boolean;
  /** What a model knows of its columns, so that a new file is read as the training file was. */
  readonly learned?: LearnedColumns;
}

/** How a model learned its columns. */
export interface LearnedColumns {
  /** Each input's name with its format. */
  readonly formats: ReadonlyMap<string, LearnedFormat>;
  /** Words for a missing number in the training file, by column. */
  readonly words: ReadonlyMap<string, readonly string[]>;
}
