/** How the cells of a column are written, where that is not plain decimal notation. Plain data: it goes into a model. */

/** The two kinds of column: numbers, or a few texts. */
export type ColumnKind = "numeric" | "categorical";

/** Character between the whole part of a number and its fraction. */
export type Decimal = "." | ",";

/** Character between groups of digits; the blank stands for narrow and unbreakable blanks too. */
export type Thousands = "," | "." | " " | "'";

/** Order of year, month and day in dates such as 3/4/2024. */
export type DateOrder = "ymd" | "dmy" | "mdy";

/** An order, and the year from which two-digit years are counted: with dmy@1950, 49 is 2049 and 50 is 1950. */
export type DateChoice = DateOrder | `${DateOrder}@${number}`;

/** Numbers with another decimal sign, grouped digits, a currency, a percent sign or a unit. */
export interface NumberFormat {
  readonly kind: "number";
  readonly decimal: Decimal;
  readonly thousands?: Thousands;
  /** Currency, percent sign or unit beside every number; it does not change the value: 45 % is 45. */
  readonly unit?: string;
  /** Where the minus sign stands, if not before the number. */
  readonly minus?: "behind";
  /** Whether the cells allow another reading too. */
  readonly isAssumed?: true;
}

/** Dates, with or without a time of day; the value is days since 1970-01-01, UTC where no zone is written. */
export interface DateFormat {
  readonly kind: "date";
  /** Absent where no cell shows it, as with names of months. */
  readonly order?: DateOrder;
  /** Where years have two digits: the first of the hundred years that they are taken from. */
  readonly firstYear?: number;
  /** Whether the cells allow another reading too. */
  readonly isAssumed?: true;
}

/** How the cells of a numeric column are written. */
export type CellFormat = NumberFormat | DateFormat;

/**
 * How a model learned a column: its format; "plain" for plain numbers, some with a decimal point, and for text;
 * "whole" for plain whole numbers, which do not show what a comma or a point would mean.
 */
export type LearnedFormat = CellFormat | "plain" | "whole";

/** What decided how a column is read. */
export type Basis =
  /** Its cells allow one reading, or mean the same under each. */
  | "cells"
  /** An option. */
  | "given"
  /** The same column of the file that a model was trained on. */
  | "learned"
  /** Other columns of the file. */
  | "file"
  /** Nothing: the more usual reading. */
  | "usual";

/** A column that cannot be read without asking. */
export interface Unclear {
  readonly kind: "unclear";
  /** Index of the cell that shows it. */
  readonly cell: number;
  /** The rest of a sentence that begins with the cell. */
  readonly why: string;
}

/** The format in words, such as "decimal commas, points between thousands". */
export function describeFormat(format: CellFormat): string {
  const parts: string[] = [];
  if (format.kind === "date") {
    parts.push("dates");
    if (format.order !== undefined) parts.push(orderWords[format.order]);
    const { firstYear } = format;
    if (firstYear !== undefined) {
      parts.push(`years of two digits are those from ${firstYear} to ${firstYear + 99}`);
    }
    return parts.join(", ");
  }
  if (format.decimal === ",") parts.push("decimal commas");
  if (format.thousands !== undefined)
    parts.push(`${thousandsWords[format.thousands]} between thousands`);
  if (format.unit !== undefined) {
    parts.push(format.unit === "%" ? "percent signs (45% is 45)" : `the unit "${format.unit}"`);
  }
  if (format.minus !== undefined) parts.push("minus signs behind the numbers (5- is -5)");
  return parts.length === 0 ? "plain numbers" : parts.join(", ");
}

export const orderWords: Readonly<Record<DateOrder, string>> = {
  ymd: "year first",
  dmy: "day first",
  mdy: "month first",
};

const thousandsWords: Readonly<Record<Thousands, string>> = {
  ",": "commas",
  ".": "points",
  " ": "blanks",
  "'": "apostrophes",
};
