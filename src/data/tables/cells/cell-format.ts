/** How the cells of a column are written, where that is not plain decimal notation. Plain data: it goes into a model. */

/** The two kinds of column: numbers, or a few texts. */
export type ColumnKind = "numeric" | "categorical";

/** Character between the whole part of a number and its fraction. */
export type Decimal = "." | ",";

/** Character between groups of digits; the blank stands for narrow and unbreakable blanks too. */
export type Thousands = "," | "." | " " | "'";

/** Order of year, month and day in dates such as 3/4/2024. */
export type DateOrder = "ymd" | "dmy" | "mdy";

/** Numbers with another decimal sign, grouped digits, a currency, a percent sign or a unit. */
export interface NumberFormat {
  readonly kind: "number";
  readonly decimal: Decimal;
  readonly thousands?: Thousands;
  /** Currency, percent sign or unit beside every number; it does not change the value: 45 % is 45. */
  readonly unit?: string;
}

/** Dates, with or without a time of day; the value is days since 1970-01-01, UTC where no zone is written. */
export interface DateFormat {
  readonly kind: "date";
  readonly order: DateOrder;
}

/** How the cells of a numeric column are written. */
export type CellFormat = NumberFormat | DateFormat;

/** The format in words, such as "decimal commas, points between thousands". */
export function describeFormat(format: CellFormat): string {
  if (format.kind === "date") return `dates, ${orderWords[format.order]}`;
  const parts: string[] = [];
  if (format.decimal === ",") parts.push("decimal commas");
  if (format.thousands !== undefined)
    parts.push(`${thousandsWords[format.thousands]} between thousands`);
  if (format.unit !== undefined) {
    parts.push(format.unit === "%" ? "percent signs (45% is 45)" : `the unit "${format.unit}"`);
  }
  return parts.length === 0 ? "plain numbers" : parts.join(", ");
}

const orderWords: Readonly<Record<DateOrder, string>> = {
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
