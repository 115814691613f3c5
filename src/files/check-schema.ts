/** What is read from a file against its schema: what does not fit is one sentence that says where. */
import * as v from "valibot";
import { DamagedFileError } from "./sealed-json.ts";

/**
 * The value as its type.
 *
 * @param source - what the message calls the file.
 * @param remedy - closes it.
 * @throws {@link DamagedFileError} naming the first member that does not fit.
 */
export function checkSchema<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  source: string,
  remedy: string,
): T {
  const found = v.safeParse(schema, value, { abortEarly: true });
  if (found.success) return found.output;
  const [issue] = found.issues;
  const path = v.getDotPath(issue);
  const where = path === null ? "" : ` at ${path.slice(0, 80)}`;
  throw new DamagedFileError(
    `${source} is not what this version of stackelberg writes${where}: ${issue.expected ?? issue.message} was expected, ${issue.received.slice(0, 80)} came; ${remedy}`,
  );
}

type Numbers = v.GenericSchema<number>;

/** Any number, NaN and infinities included. */
export const anyNumber: Numbers = v.custom<number>(
  (value) => typeof value === "number",
  "a number",
) as Numbers;
/** A number that JSON has. */
export const finite: Numbers = v.pipe(v.number(), v.finite());
/** 0, 1, 2, … */
export const count: Numbers = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** 1, 2, 3, … */
export const positiveCount: Numbers = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** A number above 0. */
export const positive: Numbers = v.pipe(v.number(), v.finite(), v.gtValue(0));
