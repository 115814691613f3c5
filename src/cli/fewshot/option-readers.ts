// Readers of values that the options of the few-shot commands share.

import { UsageError } from "../command/errors.ts";
import * as parse from "../command/options.ts";

/** Makes the reader of an option's value, which refuses a following option in its place. */
export type Take = <T>(
  read: (option: string, text: string) => T,
  option: string,
) => (text: string) => T;

/** Readers of the commands' own values. */
export function readers(take: Take): {
  word(option: string): (text: string) => string;
  whole(option: string, least?: number, most?: number): (text: string) => number;
  oneOf<T extends string>(option: string, choices: readonly T[]): (text: string) => T;
  positive(option: string): (text: string) => number;
} {
  return {
    word: (option) => take(parseWord, option),
    whole: (option, least = 1, most = Infinity) =>
      take((name, text) => parseWhole(name, text, least, most), option),
    oneOf: (option, choices) =>
      take((name, text) => parse.parseChoice(name, text, choices), option),
    positive: (option) => take(parsePositive, option),
  };
}

function parseWord(option: string, text: string): string {
  if (text === "") throw new UsageError(`${option} needs a value, not an empty one`);
  return text;
}

/** More than `most` is a slip of the hand: memory or patience would end long before. */
function parseWhole(option: string, text: string, least: number, most: number): number {
  const value = parse.parseWhole(option, text, least);
  if (value <= most) return value;
  throw new UsageError(`${option} must be at most ${most}, not "${text}"`);
}

function parsePositive(option: string, text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : 0;
  if (value > 0 && value < Infinity) return value;
  throw new UsageError(`${option} must be a number above 0, such as 0.1, not "${text}"`);
}
