/**
 * How well a single column gives the target away. No model is fitted: each row is judged by the rows that have the same value,
 * or the next smaller and larger one, so that any relation counts, not only a straight line.
 */
import type { Column } from "./table.ts";
import type { Target } from "./target.ts";

/** What one column alone says about the target. */
export interface AloneScore {
  /** Share of the classes that are given right, or R²; from 0 to 1. */
  readonly score: number;
  /** Share of the error of a guess without the column that the column removes; R² for numbers. */
  readonly skill: number;
  /** ln of a bound on the chance that an unrelated column does as well (classes only; −∞ for numbers). */
  readonly logChance: number;
}

/** Rows with one value of the column. */
interface Group {
  /** The number; NaN for text and for missing cells, which have no neighbours. */
  readonly at: number;
  readonly rows: number[];
}

/**
 * Scores a column on rows whose target is known.
 *
 * Classes: a row is right when its class is the most frequent one of the other rows with the same value or, alone with its
 * number, that of a neighbour. An unrelated column is wrong in a share r = Σ q_k (1 − q_k)² of the rows, q_k the classes'
 * shares, at least; the chance of e errors in n rows is at most exp(−n KL(e/n ‖ r)) (Chernoff).
 *
 * Numbers: R² of the mean of the other rows with the same value or of the line between the neighbours, of the best straight
 * line, and of the ranks, whichever is largest.
 *
 * @param values - [table rows], class index or number, as from `inferTarget`.
 * @returns undefined where there is nothing to measure: fewer than 10 rows, one class, a constant target.
 */
export function predictsAlone(
  column: Column,
  target: Target,
  values: Float64Array,
  rows: readonly number[],
): AloneScore | undefined {
  const present = rows.filter((row) => !isMissing(column, row));
  const candidates = present.length === rows.length ? [rows] : [rows, present];
  const scores = candidates
    // Rows without a cell count as one more value; where that spoils it, the rest may still give the answer away.
    .filter((part) => part.length >= 10 && 2 * part.length >= rows.length)
    .map((part) =>
      target.task === "regression"
        ? scoreNumbers(column, values, part)
        : scoreClasses(column, values, part, target.classes.length),
    )
    .filter((score) => score !== undefined);
  return scores.sort((a, b) => b.skill - a.skill)[0];
}

function isMissing(column: Column, row: number): boolean {
  return column.kind === "numeric" ? Number.isNaN(column.values[row]!) : column.codes[row]! < 0;
}

/** Numbers ascending, each with its rows; then what is missing. Text in any order. */
function groupsOf(column: Column, rows: readonly number[]): Group[] {
  const byValue = new Map<number, Group>();
  const isNumeric = column.kind === "numeric";
  for (const row of rows) {
    const value = isNumeric ? column.values[row]! : column.codes[row]!;
    const group = byValue.get(value);
    if (group === undefined) byValue.set(value, { at: isNumeric ? value : NaN, rows: [row] });
    else group.rows.push(row);
  }
  const groups = [...byValue.values()];
  const place = ({ at }: Group): number => (Number.isNaN(at) ? Infinity : at);
  return isNumeric ? groups.sort((a, b) => (place(a) < place(b) ? -1 : 1)) : groups;
}

function scoreClasses(
  column: Column,
  values: Float64Array,
  rows: readonly number[],
  classes: number,
): AloneScore | undefined {
  const n = rows.length;
  const totals = countOf(rows, values, classes);
  const most = totals.indexOf(Math.max(...totals));
  const guessed = n - totals[most]!;
  if (guessed === 0) return undefined;
  const groups = groupsOf(column, rows);
  const counts = groups.map((group) =>
    group.rows.length === 1 ? undefined : countOf(group.rows, values, classes),
  );
  const main = groups.map(({ rows: [first] }, g) => {
    const own = counts[g];
    return own === undefined ? values[first!]! : own.indexOf(Math.max(...own));
  });
  let errors = 0;
  for (const [g, group] of groups.entries()) {
    const own = counts[g];
    if (own !== undefined) {
      const first = main[g]!;
      const others = own.reduce(
        (least, count, k) => (k === first ? least : Math.max(least, count)),
        0,
      );
      for (const [k, count] of own.entries()) {
        const most = k === first ? others : own[first]!;
        if (count === 1 || count - 1 < most) errors += count;
      }
      continue;
    }
    const label = values[group.rows[0]!]!;
    const beside = [g - 1, g + 1].filter((j) => !Number.isNaN(groups[j]?.at ?? NaN));
    const isRight =
      Number.isNaN(group.at) || beside.length === 0
        ? label === most
        : beside.some((j) => main[j] === label);
    errors += Number(!isRight);
  }
  const chance = totals.reduce((sum, count) => sum + (count / n) * (1 - count / n) ** 2, 0);
  return {
    score: 1 - errors / n,
    skill: 1 - errors / guessed,
    logChance: errors / n >= chance ? 0 : -n * divergence(errors / n, chance),
  };
}

function countOf(rows: readonly number[], values: Float64Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const row of rows) counts[values[row]!]!++;
  return counts;
}

/** KL(a ‖ b) of two coins. */
function divergence(a: number, b: number): number {
  const part = (p: number, q: number): number => (p === 0 ? 0 : p * Math.log(p / q));
  return part(a, b) + part(1 - a, 1 - b);
}

function scoreNumbers(
  column: Column,
  values: Float64Array,
  rows: readonly number[],
): AloneScore | undefined {
  const y = (row: number): number => values[row]!;
  const groups = groupsOf(column, rows);
  const sums = groups.map((group) => group.rows.reduce((sum, row) => sum + y(row), 0));
  const means = groups.map((group, g) => sums[g]! / group.rows.length);
  const mean = sums.reduce((a, b) => a + b, 0) / rows.length;
  const total = rows.reduce((sum, row) => sum + (y(row) - mean) ** 2, 0);
  if (!(total > 0)) return undefined;
  let left = 0;
  for (const [g, group] of groups.entries()) {
    const size = group.rows.length;
    for (const row of group.rows) {
      const guess = size > 1 ? (sums[g]! - y(row)) / (size - 1) : between(groups, means, g, mean);
      left += (y(row) - guess) ** 2;
    }
  }
  let score = 1 - left / total;
  const numbered = groups.filter(({ at }) => !Number.isNaN(at));
  if (
    column.kind === "numeric" &&
    numbered.reduce((sum, { rows: { length } }) => sum + length, 0) === rows.length
  ) {
    const x = column.values;
    score = Math.max(
      score,
      correlation(
        rows.map((row) => x[row]!),
        rows.map(y),
      ) ** 2,
      correlation(ranks(rows.map((row) => x[row]!)), ranks(rows.map(y))) ** 2,
    );
  }
  score = Math.max(0, score);
  return { score, skill: score, logChance: -Infinity };
}

/** The line between the neighbours' means; one neighbour's mean at an end. */
function between(
  groups: readonly Group[],
  means: readonly number[],
  g: number,
  otherwise: number,
): number {
  const { at } = groups[g]!;
  const before = groups[g - 1]?.at ?? NaN;
  const after = groups[g + 1]?.at ?? NaN;
  if (Number.isNaN(at)) return otherwise;
  if (Number.isNaN(before)) return Number.isNaN(after) ? otherwise : means[g + 1]!;
  if (Number.isNaN(after)) return means[g - 1]!;
  const share = (at - before) / (after - before);
  return (1 - share) * means[g - 1]! + share * means[g + 1]!;
}

/** Pearson's; 0 where one of the two does not vary. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]): number =>
    list.reduce((sum, value) => sum + value / list.length, 0);
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [a[i]! - meanA, b[i]! - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  const scale = Math.sqrt(aa) * Math.sqrt(bb);
  return scale > 0 && scale < Infinity ? ab / scale : 0;
}

/** Equal values share their mean rank. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) result[order[k]!] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}
