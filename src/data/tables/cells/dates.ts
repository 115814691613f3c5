/** How the dates of a column are written: which of 3/4/2024 is the month, and which century 24 is in. */
import type {
  Basis,
  DateChoice,
  DateFormat,
  DateOrder,
  LearnedFormat,
  Unclear,
} from "./cell-format.ts";
import { firstYearOf } from "./two-digit-years.ts";
import { allOrders, datesIn, dayOf, type WrittenDates } from "./written-dates.ts";

/** The orders of a column's dates. */
export interface FoundDates {
  readonly kind: "found";
  readonly format: DateFormat;
  /** [cells], days since 1970-01-01. */
  readonly values: readonly number[];
  /** What decided the order. */
  readonly basis: Basis;
}

/** Dates that stay text unless an option says how they are meant. */
export interface NoDates {
  readonly kind: "none";
  /** The end of a sentence. */
  readonly why: string;
}

/** What decides where day and month can be swapped, the first that is given and fits. */
export interface DateHints {
  readonly given?: DateChoice | undefined;
  /** Absent without a model. */
  readonly learned?: LearnedFormat | undefined;
  /** The order that other columns of the file show. */
  readonly file?: DateOrder | undefined;
  /** Orders that columns of the file show which the model did not learn for them. */
  readonly drift?: ReadonlySet<DateOrder> | undefined;
  /** Assumed where nothing else decides. */
  readonly usual: DateOrder;
}

/** The order and the century under which all cells are dates. */
export function findDateFormat(
  cells: readonly string[],
  hints: DateHints,
): FoundDates | NoDates | Unclear {
  const isAsked = hints.given !== undefined || isLearnedDate(hints.learned);
  const dates = cells.map((cell) => datesIn(cell, isAsked) ?? {});
  const orders = allOrders.filter((order) => dates.every((date) => date[order] !== undefined));
  if (orders.length === 0) return { kind: "none", why: noOrder };
  const chosen = chooseOrder(cells, dates, orders, hints);
  if ("kind" in chosen) return chosen;
  const { order, basis } = chosen;
  const read = dates.map((date) => date[order]!);
  const short = read.filter(({ isShort }) => isShort).map(({ year }) => year);
  const asked = givenFirstYear(hints.given);
  const learned = isLearnedDate(hints.learned) ? hints.learned.firstYear : undefined;
  const known = asked ?? learned;
  const firstYear = short.length === 0 ? undefined : (known ?? firstYearOf(short));
  if (short.length > 0 && firstYear === undefined) return { kind: "none", why: noCentury(order) };
  const values: number[] = [];
  for (const date of read) {
    const day = dayOf(date, firstYear);
    if (day === undefined) return { kind: "none", why: noOrder };
    values.push(day);
  }
  const isAssumed =
    basis === "file" || basis === "usual" || (firstYear !== undefined && known === undefined);
  return {
    kind: "found",
    format: {
      kind: "date",
      ...(chosen.isShown ? { order } : {}),
      ...(firstYear === undefined ? {} : { firstYear }),
      ...(isAssumed ? { isAssumed } : {}),
    },
    values,
    basis,
  };
}

/** Whether a cell is a date. @param isAsked - as in {@link datesIn}. */
export function isDate(cell: string, isAsked: boolean = false): boolean {
  return datesIn(cell, isAsked) !== undefined;
}

/** Whether a model learned dates. */
export function isLearnedDate(learned: LearnedFormat | undefined): learned is DateFormat {
  return typeof learned === "object" && learned.kind === "date";
}

const noOrder = "no order of day and month fits all of its dates; write them alike to have dates";

const noCentury = (order: DateOrder): string =>
  `its years of two digits fit more than one century; --date ${order}@1930 takes them as years from 1930 to 2029`;

interface ChosenOrder {
  readonly order: DateOrder;
  readonly basis: Basis;
  /** Whether the cells or an option tell the order, or would mean something else under another. */
  readonly isShown: boolean;
}

function chooseOrder(
  cells: readonly string[],
  dates: readonly WrittenDates[],
  orders: readonly DateOrder[],
  hints: DateHints,
): ChosenOrder | Unclear {
  const given = hints.given?.slice(0, 3) as DateOrder | undefined;
  const [first] = orders;
  const open = dates.findIndex((date) => orders.some((order) => !isSameDay(date, order, first!)));
  if (given !== undefined && orders.includes(given) && open >= 0) {
    return { order: given, basis: "given", isShown: true };
  }
  // A year of four digits in front needs no option.
  if (given !== undefined && !orders.includes(given) && first !== "ymd") {
    const cell = dates.findIndex((date) => date[given] === undefined);
    const why = `is no date of the order ${given}, as --date says; give each column its own order, as in --date day=${orders.at(-1)!}`;
    return { kind: "unclear", cell, why };
  }
  if (open < 0) return { order: first!, basis: "cells", isShown: orders.length === 1 };
  // Points are written day first.
  const pointed = cells.every((cell) => /^\d{1,2}\.\d/.test(cell)) && orders.includes("dmy");
  const learned = isLearnedDate(hints.learned) ? hints.learned : undefined;
  const shown = learned === undefined ? undefined : shownOrder(learned, dates);
  if (shown !== undefined && orders.includes(shown)) {
    const others = [...(hints.drift ?? [])].filter((order) => order !== shown);
    if (others.length === 0 && !(pointed && shown === "mdy")) {
      return { order: shown, basis: "learned", isShown: true };
    }
    return unclear(
      open,
      orders,
      `the training file's dates are ${shown}, which this file's are not`,
    );
  }
  if (pointed) return { order: "dmy", basis: "cells", isShown: true };
  if (hints.file !== undefined && orders.includes(hints.file)) {
    return { order: hints.file, basis: "file", isShown: true };
  }
  if (hints.learned !== undefined) {
    return unclear(open, orders, "the training file does not show which");
  }
  const usual = orders.includes(hints.usual) ? hints.usual : first!;
  return { order: usual, basis: "usual", isShown: true };
}

/** What a model's order says of these cells: 2024-04-03 does not show what 03-04-24 means. */
function shownOrder(learned: DateFormat, dates: readonly WrittenDates[]): DateOrder | undefined {
  const isShort = learned.order === "ymd" && dates.some(({ ymd }) => ymd?.isShort === true);
  return isShort && learned.firstYear === undefined ? undefined : learned.order;
}

function isSameDay(date: WrittenDates, a: DateOrder, b: DateOrder): boolean {
  const [one, other] = [date[a]!, date[b]!];
  return one.year === other.year && one.month === other.month && one.day === other.day;
}

function unclear(cell: number, orders: readonly DateOrder[], because: string): Unclear {
  const ways = orders.map((order) => `--date ${order}`).join(" or ");
  return {
    kind: "unclear",
    cell,
    why: `is a date whose day and month can be swapped, and ${because}; ${ways} says how it is meant`,
  };
}

function givenFirstYear(given: DateChoice | undefined): number | undefined {
  const [, year] = given?.split("@") ?? [];
  return year === undefined ? undefined : Number(year);
}
