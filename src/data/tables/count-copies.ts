/** Rows that repeat others: on both sides of a split they make a model look better than it is. */
import type { Table } from "./table.ts";

/**
 * Counts the rows that are equal to an earlier one in every column, missing cells included.
 *
 * @param rows - the rows to look at.
 * @param ignore - columns that do not count, such as ids, which would make every row unique.
 */
export function countCopies(
  table: Table,
  rows: Int32Array,
  ignore: readonly string[] = [],
): number {
  const columns = table.columns.filter(({ name }) => !ignore.includes(name));
  if (columns.length === 0) return 0;
  const low = new Uint32Array(rows.length).fill(0x811c9dc5);
  const high = new Uint32Array(rows.length).fill(0x9e3779b9);
  const cell = new Float64Array(1);
  const words = new Uint32Array(cell.buffer);
  for (const column of columns) {
    for (let i = 0; i < rows.length; i++) {
      const value = column.kind === "numeric" ? column.values[rows[i]!]! : column.codes[rows[i]!]!;
      // One zero, and one missing number.
      cell[0] = value === value ? value + 0 : NaN;
      low[i] = mix(mix(low[i]!, words[0]!), words[1]!);
      high[i] = mix(mix(high[i]!, words[1]!), words[0]! ^ 0x5bd1e995);
    }
  }
  // 53 of the 64 bits: two different rows of a million are taken for equal with probability 1e-4.
  const seen = new Set<number>();
  for (let i = 0; i < rows.length; i++) seen.add(low[i]! * 2 ** 21 + (high[i]! >>> 11));
  return rows.length - seen.size;
}

/** A step of MurmurHash3 with its finalizer. */
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  let h = hash ^ k;
  h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
