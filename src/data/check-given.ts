/** What the functions of this folder are given, looked at once: tables, encoders and lists of numbers. */
import { checkArgument, describeValue, hasMembers } from "../program/internal.ts";

/** @throws TypeError unless it is a table, as `readTable` gives it. */
export function checkTable(where: string, table: unknown): void {
  checkArgument(where, "table", table, "object");
  const { columns } = table as { columns?: unknown };
  if (Array.isArray(columns)) return;
  throw new TypeError(
    `${where}: table must be a table, such as (await readTable(path)).table; its columns are ${describeValue(columns)}.`,
  );
}

/** @throws TypeError unless it is an encoder, as `fitEncoder` gives it. */
export function checkEncoder(where: string, encoder: unknown): void {
  checkArgument(where, "encoder", encoder, "object");
  const { inputs } = encoder as { inputs?: unknown };
  if (Array.isArray(inputs)) return;
  throw new TypeError(
    `${where}: encoder must be an encoder, as fitEncoder makes it; its inputs are ${describeValue(inputs)}.`,
  );
}

/** @throws TypeError unless it is a list or a typed array. */
export function checkNumbers(where: string, name: string, values: unknown): void {
  if (
    Array.isArray(values) ||
    (ArrayBuffer.isView(values) && hasMembers(values, { length: "number" }))
  )
    return;
  throw new TypeError(
    `${where}: ${name} must be a list of numbers or a typed array, ${describeValue(values)} came.`,
  );
}
