/**
 * Values far from all others of a column, by which missing cells are often meant, -999 or 9999-12-31, or which are slips
 * of the pen. They are named, not changed: only the user knows what they mean.
 */

/** A value, or the values on one side, that stand apart. */
export interface FarValue {
  readonly value: number;
  readonly count: number;
  /** Whether it looks like a word for a missing cell, not like a slip. */
  readonly isSentinel: boolean;
  /** The other values of the column lie between these. */
  readonly others: readonly [low: number, high: number];
}

/** Distance from the others, in widths of their range, from which a repeated value is no accident. */
const farRepeated = 3;

/** The same for a value that people write for missing cells. */
const farKnown = 1;

/** Distance from the median, in widths of the middle half, from which a single value is a slip. */
const farSingle = 1e5;

/** Distinct values that the others must have: fewer are codes, and codes have no distance. */
const fewestOthers = 5;

/** Far values at each end that are looked for. */
const mostAtEnd = 2;

/**
 * @param values - NaN where a cell is missing.
 * @param isDate - whether they are days since 1970-01-01.
 * @returns the far values, ascending; none when fewer than half of the cells would be left.
 */
export function farValues(values: Float64Array, isDate: boolean): FarValue[] {
  const present = values.filter((value) => value === value).sort();
  const { distinct, counts } = countDistinct(present);
  const isKnown = isDate ? isKnownDate : isKnownNumber;
  let best: FarValue[] = [];
  for (let below = 0; below <= mostAtEnd; below++) {
    for (let above = 0; above <= mostAtEnd; above++) {
      const last = distinct.length - 1 - above;
      if (below + above <= best.length || last - below + 1 < fewestOthers) continue;
      const others = [distinct[below]!, distinct[last]!] as const;
      const ends = [...range(0, below), ...range(last + 1, distinct.length)];
      const cells = ends.reduce((sum, i) => sum + counts[i]!, 0);
      if (2 * cells >= present.length) continue;
      const isFar = ends.every((i) => {
        const width = others[1] - others[0];
        const distance = Math.max(others[0] - distinct[i]!, distinct[i]! - others[1]);
        if (isKnown(distinct[i]!) && distance >= farKnown * width) return true;
        return counts[i]! > 1 && distance >= farRepeated * width;
      });
      if (!isFar) continue;
      best = ends.map((i) => ({
        value: distinct[i]!,
        count: counts[i]!,
        isSentinel: true,
        others,
      }));
    }
  }
  return best.length > 0 ? best : slips(present);
}

/** Values whose distance no spread explains. */
function slips(present: Float64Array): FarValue[] {
  const at = (share: number): number => present[Math.floor(share * (present.length - 1))]!;
  const width = at(0.75) - at(0.25);
  if (!(width > 0)) return [];
  const isNear = (value: number): boolean => Math.abs(value - at(0.5)) <= farSingle * width;
  const near = present.filter(isNear);
  const others = [near[0]!, near.at(-1)!] as const;
  const { distinct, counts } = countDistinct(present.filter((value) => !isNear(value)));
  return distinct.map((value, i) => ({ value, count: counts[i]!, isSentinel: false, others }));
}

/** @param sorted - ascending. */
function countDistinct(sorted: Float64Array): { distinct: number[]; counts: number[] } {
  const distinct: number[] = [];
  const counts: number[] = [];
  for (const value of sorted) {
    if (value === distinct.at(-1)) counts[counts.length - 1]!++;
    else {
      distinct.push(value);
      counts.push(1);
    }
  }
  return { distinct, counts };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Nines, eights and sevens in a row, and the limits of whole numbers of 16 and 32 bits. */
function isKnownNumber(value: number): boolean {
  const digits = String(Math.abs(value)).replace(".", "");
  return /^(9{3,}|8{3,}|7{3,}|3276[78]|65535|214748364[78]|4294967295)$/.test(digits);
}

const knownDates: ReadonlySet<string> = new Set([
  ...["9999-12-31", "9999-01-01", "9999-09-09", "2999-12-31", "2999-01-01", "2099-12-31"],
  ...["1900-01-01", "1899-12-30", "1899-12-31", "1901-01-01", "1970-01-01", "1753-01-01"],
  ...["1111-11-11", "1800-01-01", "1000-01-01"],
]);

function isKnownDate(day: number): boolean {
  return knownDates.has(new Date(Math.floor(day) * 86_400_000).toISOString().slice(0, 10));
}
