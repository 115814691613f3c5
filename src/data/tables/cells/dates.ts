/**
 * Dates as people write them, as days since 1970-01-01: ISO 8601, 31.12.2024, 12/31/2024, 31-Dec-24, each with or
 * without a time of day. Which of 3/4/2024 is the month is decided for a whole column.
 */
import type { DateFormat, DateOrder } from "./cell-format.ts";

/** A cell's days for each order that it allows. */
export type ReadDate = Partial<Record<DateOrder, number>>;

/** The orders of a column's dates. */
export interface FoundDates {
  readonly format: DateFormat;
  /** [cells], days since 1970-01-01. */
  readonly values: readonly number[];
  /** Whether the cells rule out every other order, or mean the same under it, or the order was given or learned. */
  readonly isClear: boolean;
}

/** What decides where day and month can be swapped, the first that is given and fits. */
export interface DateHints {
  readonly given?: DateOrder | undefined;
  readonly learned?: DateOrder | undefined;
  readonly file?: DateOrder | undefined;
  /** Assumed where nothing else decides. */
  readonly usual: DateOrder;
}

const allOrders: readonly DateOrder[] = ["ymd", "dmy", "mdy"];

/** The order under which all cells are dates, or undefined when there is none. */
export function findDateFormat(cells: readonly string[], hints: DateHints): FoundDates | undefined {
  const isAsked = hints.given !== undefined || hints.learned !== undefined;
  const dates: ReadDate[] = [];
  for (const cell of cells) {
    const date = dateIn(cell, isAsked);
    if (date === undefined) return undefined;
    dates.push(date);
  }
  const orders = allOrders.filter((order) => dates.every((date) => date[order] !== undefined));
  if (orders.length === 0) return undefined;
  const isClear = dates.every((date) => orders.every((order) => date[order] === date[orders[0]!]));
  // Points are written day first.
  const pointed: DateOrder | undefined = cells.every((cell) => /^\d{1,2}\.\d/.test(cell))
    ? "dmy"
    : undefined;
  const wanted: readonly (DateOrder | undefined)[] = [
    hints.given,
    hints.learned,
    pointed,
    hints.file,
    hints.usual,
    orders[0],
  ];
  const order = wanted.find((one) => one !== undefined && orders.includes(one))!;
  return {
    format: { kind: "date", order },
    values: dates.map((date) => date[order]!),
    isClear: isClear || [hints.given, hints.learned, pointed].includes(order),
  };
}

/**
 * @param isAsked - whether the column is known to hold dates: then 1.2.24 and 01-02-24 are dates too, which
 *   otherwise may be versions or numbers of parts.
 */
export function dateIn(cell: string, isAsked: boolean = false): ReadDate | undefined {
  const [, date = "", time = ""] =
    /^(.*?\d{4}|.*?\d{2}|.*?\d)(?:(?:T|,?\s+)(\d{1,2}:.*))?$/.exec(cell) ?? [];
  const read = numericDate(date, isAsked) ?? namedDate(date) ?? compactDate(date);
  if (read === undefined) return undefined;
  const fraction = time === "" ? 0 : timeOfDay(time);
  if (fraction === undefined) return undefined;
  const shifted: ReadDate = {};
  for (const order of allOrders) {
    const day = read[order];
    if (day !== undefined) shifted[order] = day + fraction;
  }
  return shifted;
}

/** Eight digits that are a date of the years 1900 to 2099. */
export function compactDate(cell: string): ReadDate | undefined {
  const match = /^((?:19|20)\d{2})(\d{2})(\d{2})$/.exec(cell);
  if (match === null) return undefined;
  const day = dayOf(Number(match[1]), Number(match[2]), Number(match[3]));
  return day === undefined ? undefined : { ymd: day };
}

function numericDate(text: string, isAsked: boolean): ReadDate | undefined {
  const match = /^(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})$/.exec(text);
  if (match === null) return undefined;
  const [, first, separator, middle, last] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  const numbers = [Number(first), Number(middle), Number(last)] as const;
  if (first.length === 4) {
    return last.length <= 2 ? readingsOf({ ymd: dayOf(...numbers) }) : undefined;
  }
  if (first.length > 2) return undefined;
  if (last.length !== 4 && last.length !== 2) return undefined;
  if (last.length === 2 && !isAsked) {
    const isPadded = first.length === 2 && middle.length === 2;
    if (separator === "-" || (separator === "." && !isPadded)) return undefined;
  }
  const year = last.length === 4 ? numbers[2] : fullYear(numbers[2]);
  return readingsOf({
    dmy: dayOf(year, numbers[1], numbers[0]),
    mdy: dayOf(year, numbers[0], numbers[1]),
    ...(last.length === 2 && isAsked && first.length === 2
      ? { ymd: dayOf(fullYear(numbers[0]), numbers[1], numbers[2]) }
      : {}),
  });
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** 31 Dec 2024, 31-Dec-24, December 31, 2024. The order is plain, so every order allows it. */
function namedDate(text: string): ReadDate | undefined {
  const dayFirst = /^(\d{1,2})(?:st|nd|rd|th)?[-. ]+([a-z]{3,9})[-., ]+(\d{4}|\d{2})$/i.exec(text);
  const monthFirst = /^([a-z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})$/i.exec(text);
  const [day, name, year] = dayFirst?.slice(1) ?? [
    monthFirst?.[2],
    monthFirst?.[1],
    monthFirst?.[3],
  ];
  if (day === undefined || name === undefined || year === undefined) return undefined;
  const month = months.findIndex((short) => isMonth(name.toLowerCase(), short));
  if (month < 0) return undefined;
  const full = year.length === 4 ? Number(year) : fullYear(Number(year));
  const at = dayOf(full, month + 1, Number(day));
  return at === undefined ? undefined : { ymd: at, dmy: at, mdy: at };
}

const longMonths: Readonly<Record<string, string>> = {
  jan: "january",
  feb: "february",
  mar: "march",
  apr: "april",
  may: "may",
  jun: "june",
  jul: "july",
  aug: "august",
  sep: "september",
  oct: "october",
  nov: "november",
  dec: "december",
};

function isMonth(name: string, short: string): boolean {
  return name === short || name === longMonths[short] || (name === "sept" && short === "sep");
}

/** The part of a day, minus the zone's distance from UTC; undefined when the text is no time. */
function timeOfDay(text: string): number | undefined {
  const match =
    /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(?:([ap])\.?m\.?)?\s*(?:(?:z|utc|gmt)|([+-])(\d{2}):?(\d{2}))?$/i.exec(
      text,
    );
  if (match === null) return undefined;
  const [, hours, minutes, seconds = "0", fraction = "0", half, sign, zoneHours, zoneMinutes] =
    match;
  let hour = Number(hours);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  }
  if (hour > 24 || Number(minutes) > 59 || Number(seconds) > 60) return undefined;
  const time = hour * 3600 + Number(minutes) * 60 + Number(seconds) + Number(`0.${fraction}`);
  const zone = (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)) * (sign === "-" ? -60 : 60);
  return (time - zone) / 86400;
}

/** Of two digits, as POSIX strptime has it: 69 to 99 are of the last century. */
function fullYear(year: number): number {
  return year >= 69 ? 1900 + year : 2000 + year;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar, or undefined when there is no such day. */
function dayOf(year: number, month: number, day: number): number | undefined {
  if (year < 1000 || month < 1 || month > 12 || day < 1) return undefined;
  const time = Date.UTC(year, month - 1, day);
  return new Date(time).getUTCDate() === day ? time / 86_400_000 : undefined;
}

function readingsOf(orders: { [order in DateOrder]?: number | undefined }): ReadDate | undefined {
  const valid = Object.entries(orders).filter(([, day]) => day !== undefined);
  return valid.length === 0 ? undefined : (Object.fromEntries(valid) as ReadDate);
}
