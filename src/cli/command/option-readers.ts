// Readers of the values of options, as a command's declaration names them.

import { UsageError } from "./errors.ts";
import { parseChoice, parseWhole } from "./options.ts";

/** Reads an option's value; a following option is not swallowed as that value. */
export function take<T>(
  read: (option: string, text: string) => T,
  option: string,
): (text: string) => T {
  return (text) => {
    if (/^--[a-z]/.test(text)) {
      throw new UsageError(
        `${option} needs a value, but ${text} follows; for a value that starts with dashes write ${option}=${text}`,
      );
    }
    return read(option, text);
  };
}

/** A text that is not empty. */
export function word(option: string): (text: string) => string {
  return take((name, text) => {
    if (text === "") throw new UsageError(`${name} needs a value, not an empty one`);
    return text;
  }, option);
}

/** A whole number; more than `most` is a slip of the hand: memory or patience would end long before. */
export function whole(
  option: string,
  least: number = 1,
  most: number = Infinity,
): (text: string) => number {
  return take((name, text) => {
    const value = parseWhole(name, text, least);
    if (value <= most) return value;
    throw new UsageError(`${name} must be at most ${most}, not "${text}"`);
  }, option);
}

/** One of a few words. */
export function oneOf<T extends string>(
  option: string,
  choices: readonly T[],
): (text: string) => T {
  return take((name, text) => parseChoice(name, text, choices), option);
}

/** A number above 0. */
export function positive(option: string): (text: string) => number {
  return take((name, text) => {
    const value = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : 0;
    if (value > 0 && value < Infinity) return value;
    throw new UsageError(`${name} must be a number above 0, such as 0.1, not "${text}"`);
  }, option);
}
