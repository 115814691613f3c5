/** Seeded splits of rows into training, validation and test parts. */
import { checkArgument } from "../program/internal.ts";
import { randomKey, type RandomStream, randomStream } from "../random/index.ts";
import { DataError } from "./data-error.ts";
import type { InferredTarget } from "./tables/target.ts";

/** What to split and into which shares. */
export interface SplitOptions {
  /** Rows to split; they are numbered 0 to count − 1. */
  readonly count: number;
  /** [count] class of each row, so that every part has its share of each. Omit for regression. */
  readonly strata?: Int32Array;
  /** Fractions of the rows; together 1. `validation` or `test` may be 0. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
}

/** Row numbers, ascending in each part. */
export interface Split {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/**
 * Splits rows at random. Every row is in exactly one part.
 *
 * In each stratum (all rows, without strata) the parts get the whole part of their share, the rows left
 * over go to the largest remainders, and a part that would stay empty takes a row from the largest one
 * if the stratum has as many rows as there are parts. So a class with 3 rows is in all three parts.
 *
 * @throws RangeError for fractions that are not a partition of 1, or strata of another length.
 * @throws {@link DataError} when the rows are too few to fill the parts.
 */
export function split(options: SplitOptions): Split {
  checkArgument("split", "options", options, "object");
  const { count, strata, seed } = options;
  const fractions = [options.train, options.validation, options.test];
  if (
    !fractions.every((f) => f >= 0 && f <= 1) ||
    Math.abs(fractions.reduce((a, b) => a + b) - 1) > 1e-9
  ) {
    throw new RangeError(
      `split: train, validation and test are fractions that add up to 1, not ${fractions.join(", ")}.`,
    );
  }
  if (strata !== undefined && strata.length !== count) {
    throw new RangeError(
      `split: strata has one entry for each of ${count} rows, not ${strata.length}.`,
    );
  }
  const stream = randomStream(randomKey(seed, "split"));
  const parts: number[][] = [[], [], []];
  for (const rows of rowsOfStrata(count, strata)) divide(rows, fractions, stream, parts);
  for (const [i, name] of (["training", "validation", "test"] as const).entries()) {
    if (fractions[i]! > 0 && parts[i]!.length === 0) {
      throw new DataError(
        `split: ${count} rows are too few, the ${name} part would be empty; give more rows.`,
      );
    }
  }
  const [train, validation, test] = parts.map((rows) => Int32Array.from(rows).sort());
  return { train: train!, validation: validation!, test: test! };
}

/**
 * Splits the rows of a table that have a target; the parts hold row numbers of the table. Classes are the
 * strata; a regression is split without.
 *
 * @example
 * const parts = splitTarget(inferTarget(table, "income"), { train: 0.6, validation: 0.2, test: 0.2, seed: 0 });
 * const encoder = fitEncoder(table, "income", parts.train);
 */
export function splitTarget(
  inferred: InferredTarget,
  options: Omit<SplitOptions, "count" | "strata">,
): Split {
  checkArgument("splitTarget", "inferred", inferred, "object");
  checkArgument("splitTarget", "inferred.target", inferred.target, "object");
  const { target, values, rows } = inferred;
  const strata =
    target.task === "regression" ? undefined : Int32Array.from(rows, (row) => values[row]!);
  const { train, validation, test } = split({ ...options, count: rows.length, strata });
  const toTable = (part: Int32Array): Int32Array => part.map((i) => rows[i]!);
  return { train: toTable(train), validation: toTable(validation), test: toTable(test) };
}

function rowsOfStrata(count: number, strata: Int32Array | undefined): number[][] {
  const groups = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const stratum = strata === undefined ? 0 : strata[row]!;
    const group = groups.get(stratum);
    if (group === undefined) groups.set(stratum, [row]);
    else group.push(row);
  }
  // By class, not by first appearance: the order of the rows then only matters through their numbers.
  return [...groups].sort(([a], [b]) => a - b).map(([, rows]) => rows);
}

function divide(
  rows: number[],
  fractions: readonly number[],
  stream: RandomStream,
  parts: number[][],
): void {
  const sizes = allot(rows.length, fractions);
  stream.shuffle(rows);
  let start = 0;
  for (const [i, size] of sizes.entries()) {
    for (let k = start; k < start + size; k++) parts[i]!.push(rows[k]!);
    start += size;
  }
}

function allot(count: number, fractions: readonly number[]): number[] {
  // 0.2 × 15 is 3.0000000000000004 in floating point; whole shares must not move by rounding.
  const shares = fractions.map((f) => Math.round(f * count * 1e9) / 1e9);
  const sizes = shares.map(Math.floor);
  const order = shares
    .map((_, i) => i)
    .sort((a, b) => shares[b]! - sizes[b]! - (shares[a]! - sizes[a]!) || a - b);
  for (let left = count - sizes.reduce((a, b) => a + b), k = 0; left > 0; left--, k++)
    sizes[order[k % 3]!]!++;
  if (count >= fractions.filter((f) => f > 0).length) {
    for (let i = 0; i < 3; i++) {
      if (fractions[i]! === 0 || sizes[i]! > 0) continue;
      sizes[sizes.indexOf(Math.max(...sizes))]!--;
      sizes[i] = 1;
    }
  }
  return sizes;
}
