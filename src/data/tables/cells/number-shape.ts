/**
 * The parts of a number as people write it: sign, digits with their separators, exponent, and a currency,
 * percent sign or unit. What a separator means is decided for a whole column, see number-format.ts.
 */
import { parseNumber } from "../numbers.ts";
import type { Decimal, Thousands } from "./cell-format.ts";

/** A cell taken apart. */
export interface NumberShape {
  readonly negative: boolean;
  /** Written in parentheses, as accountants write what is negative. */
  readonly parentheses: boolean;
  /** Negative by a minus behind the number, 5-, as business software writes it. */
  readonly minusBehind: boolean;
  /** Digits with points, commas, blanks and apostrophes. */
  readonly digits: string;
  /** `e-3`, or empty. */
  readonly exponent: string;
  /** What stands before or after the number; empty for none. */
  readonly unit: string;
}

/** The parts of a cell, or undefined when it is no number with separators or a unit. */
export function shapeOf(cell: string): NumberShape | undefined {
  const text = normalized(cell);
  const minusBehind = /^[^-+(]*[\d.,]-$/.test(text);
  const match = numberPattern.exec(minusBehind ? text.slice(0, -1) : text);
  if (match === null) return undefined;
  const [, open, sign, before = "", innerSign, digits = "", exponent = "", after = "", close] =
    match;
  if ((open === undefined) !== (close === undefined)) return undefined;
  if (sign !== undefined && innerSign !== undefined) return undefined;
  if (before !== "" && after !== "") return undefined;
  const isNegative = [sign, innerSign].includes("-") || open !== undefined || minusBehind;
  if (open !== undefined && (sign ?? innerSign) !== undefined) return undefined;
  // A plus before groups of blanks is a telephone number.
  if ((sign ?? innerSign) === "+" && digits.includes(" ")) return undefined;
  return {
    negative: isNegative,
    parentheses: open !== undefined,
    minusBehind,
    digits,
    exponent,
    unit: before || after.trim(),
  };
}

/** Whether a cell is written as infinite, or as a number beyond the largest one. */
export function isInfinite(cell: string): boolean {
  return (
    /^[+-]?(inf|infinity|\d+(\.\d*)?e\+?\d{3,})$/i.test(cell) && Number.isNaN(parseNumber(cell))
  );
}

/** A number and the separator of its groups, under one meaning of the decimal sign. */
export interface ReadNumber {
  readonly value: number;
  readonly thousands: Thousands | undefined;
}

/** The number when `decimal` is the decimal sign, or undefined when the digits do not allow that. */
export function numberIn(shape: NumberShape, decimal: Decimal): ReadNumber | undefined {
  const parts = shape.digits.split(decimal);
  const [whole, fraction = ""] = parts;
  if (parts.length > 2 || !/^\d*$/.test(fraction)) return undefined;
  const groups = separatorOf(whole!, decimal);
  if (groups === null) return undefined;
  const digits = whole!.replaceAll(/\D/g, "");
  if (digits === "" && fraction === "") return undefined;
  const value = parseNumber(`${digits || "0"}.${fraction}${shape.exponent}`);
  if (value !== value) return undefined;
  return { value: shape.negative ? -value : value, thousands: groups };
}

/** The one separator of a whole part in groups of three, undefined without any, null where they do not fit. */
function separatorOf(whole: string, decimal: Decimal): Thousands | undefined | null {
  if (/^\d*$/.test(whole)) return undefined;
  const separator = /[., ']/.exec(whole)![0] as Thousands;
  if (separator === decimal) return null;
  const [first, ...rest] = whole.split(separator);
  if (!/^[1-9]\d{0,2}$/.test(first!)) return null;
  if (rest.every((group) => /^\d{3}$/.test(group))) return separator;
  // Lakhs and crores: 12,34,567.
  const isIndian =
    separator === "," &&
    first!.length <= 2 &&
    rest.slice(0, -1).every((group) => /^\d{2}$/.test(group)) &&
    /^\d{3}$/.test(rest.at(-1)!);
  return isIndian ? separator : null;
}

/** One minus, one blank, one apostrophe for the many that Unicode has. */
function normalized(cell: string): string {
  return cell
    .replaceAll("\u2212", "-")
    .replaceAll(/[\u00a0\u2007\u2009\u202f]/g, " ")
    .replaceAll("\u2019", "'");
}

const currencyBefore =
  "(?:US|AU|CA|NZ|HK|[ACRS])?\\$|[€£¥₹₽₩₺₫₴₦₪₱]|USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|BRL|AUD|CAD|Fr\\.|Rs\\.?|[Kk]r\\.?";

/** A unit touches its number unless it is a single capital, which makes a code such as 12A. */
const unitAfter = "[%‰°\\p{Sc}]|(?:(?<=\\s)|(?!\\p{Lu}(?:\\)|$)))[\\p{L}\\p{Sc}°%²³µ/·]{1,10}\\.?";

const numberPattern = new RegExp(
  `^(\\()?\\s*([+-])?\\s*(${currencyBefore})?\\s*([+-])?\\s*` +
    `(\\d(?:[\\d., ']*\\d)?[.,]?|[.,]\\d+)([eE][+-]?\\d+)?(?:\\s*(${unitAfter}))?\\s*(\\))?$`,
  "u",
);
