/**
 * Dates as people write them, cell by cell: ISO 8601, 31.12.2024, 12/31/2024, 31-Dec-24, each with or without a time of
 * day. Which of 3/4/2024 is the month, and which century 24 is in, is decided for a whole column, see dates.ts.
 */
import type { DateOrder } from "./cell-format.ts";
import { fullYear, usualFirstYear } from "./two-digit-years.ts";

/** One reading of a cell. */
export interface WrittenDate {
  /** As written. */
  readonly year: number;
  /** Whether the year has two digits. */
  readonly isShort: boolean;
  readonly month: number;
  readonly day: number;
  /** Part of a day, minus the zone's distance from UTC. */
  readonly time: number;
}

/** A cell's reading for each order that it allows. */
export type WrittenDates = Partial<Record<DateOrder, WrittenDate>>;

export const allOrders: readonly DateOrder[] = ["ymd", "dmy", "mdy"];

/**
 * @param isAsked - whether the column is known to hold dates: then 1.2.24 and 01-02-24 are dates too, which
 *   otherwise may be versions or numbers of parts.
 */
export function datesIn(cell: string, isAsked: boolean = false): WrittenDates | undefined {
  const [, date = "", time = ""] =
    /^(.*?\d{4}|.*?\d{2}|.*?\d)(?:(?:T|,?\s+)(\d{1,2}:.*))?$/.exec(cell) ?? [];
  const read = numericDate(date, isAsked) ?? namedDate(date) ?? compactDate(date);
  if (read === undefined || time === "") return read;
  const fraction = timeOfDay(time);
  if (fraction === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(read).map(([order, one]) => [order, { ...one, time: fraction }]),
  );
}

/** Eight digits that are a date of the years 1900 to 2099. */
export function compactDate(cell: string): WrittenDates | undefined {
  const match = /^((?:19|20)\d{2})(\d{2})(\d{2})$/.exec(cell);
  if (match === null) return undefined;
  return possible({ ymd: dateOf(match[1]!, match[2]!, match[3]!) });
}

/**
 * Days since 1970-01-01 of a date of the Gregorian calendar, or undefined when there is no such day.
 *
 * @param firstYear - the earliest year that two digits stand for.
 */
export function dayOf(date: WrittenDate, firstYear: number = usualFirstYear): number | undefined {
  const { month, day, isShort, time } = date;
  const year = isShort ? fullYear(date.year, firstYear) : date.year;
  if (year < 1000 || month < 1 || month > 12 || day < 1) return undefined;
  const start = Date.UTC(year, month - 1, day);
  return new Date(start).getUTCDate() === day ? start / 86_400_000 + time : undefined;
}

function dateOf(year: string, month: string, day: string): WrittenDate {
  return {
    year: Number(year),
    isShort: year.length < 4,
    month: Number(month),
    day: Number(day),
    time: 0,
  };
}

/** The readings that are days of some century; undefined when there is none. */
function possible(readings: WrittenDates): WrittenDates | undefined {
  const valid = Object.entries(readings).filter(([, date]) =>
    [usualFirstYear, usualFirstYear - 100].some((first) => dayOf(date, first) !== undefined),
  );
  return valid.length === 0 ? undefined : Object.fromEntries(valid);
}

function numericDate(text: string, isAsked: boolean): WrittenDates | undefined {
  const match = /^(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})$/.exec(text);
  if (match === null) return undefined;
  const [, first, separator, middle, last] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  if (first.length === 4) {
    return last.length <= 2 ? possible({ ymd: dateOf(first, middle, last) }) : undefined;
  }
  if (first.length > 2) return undefined;
  if (last.length !== 4 && last.length !== 2) return undefined;
  if (last.length === 2 && !isAsked) {
    const isPadded = first.length === 2 && middle.length === 2;
    if (separator === "-" || (separator === "." && !isPadded)) return undefined;
  }
  return possible({
    dmy: dateOf(last, middle, first),
    mdy: dateOf(last, first, middle),
    ...(last.length === 2 && isAsked && first.length === 2
      ? { ymd: dateOf(first, middle, last) }
      : {}),
  });
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** 31 Dec 2024, 31-Dec-24, December 31, 2024. The order is plain, so every order allows it. */
function namedDate(text: string): WrittenDates | undefined {
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
  const date = dateOf(year, String(month + 1), day);
  return possible({ ymd: date, dmy: date, mdy: date });
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
