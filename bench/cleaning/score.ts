/** How well row weights, or a ranking, found the wrong labels. */

/** The kept rows judged as a search for the clean ones. */
export interface KeptScore {
  /** Share of clean rows among the kept ones; NaN when none is kept. */
  readonly precision: number;
  /** Share of the clean rows that are kept. */
  readonly recall: number;
  /** 2pr/(p + r); 0 when no clean row is kept. */
  readonly f1: number;
  readonly kept: number;
}

/**
 * Precision, recall and F1 of the kept rows, those with x_i ≥ 0 (weight at least ½). Keeping all rows of which half are
 * wrong scores F1 = 2/3.
 *
 * @param x - logits of the row weights, [n].
 * @param isWrong - 1 for a wrong label, [n].
 */
export function scoreKept(x: ArrayLike<number>, isWrong: ArrayLike<number>): KeptScore {
  let [kept, hits, clean] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const isKept = x[i]! >= 0;
    const isClean = isWrong[i] === 0;
    kept += Number(isKept);
    clean += Number(isClean);
    hits += Number(isKept && isClean);
  }
  return {
    precision: hits / kept,
    recall: hits / clean,
    f1: hits === 0 ? 0 : (2 * hits) / (kept + clean),
    kept,
  };
}

/** Share of wrong labels among the k rows with the smallest x; ties in row order. */
export function precisionAtK(x: ArrayLike<number>, isWrong: ArrayLike<number>, k: number): number {
  if (!(Number.isInteger(k) && k >= 1 && k <= x.length)) {
    throw new RangeError(`precisionAtK: k must be from 1 to ${x.length}; ${k} came.`);
  }
  const order = Array.from({ length: x.length }, (_, i) => i).sort((a, b) => x[a]! - x[b]!);
  return order.slice(0, k).reduce((sum, row) => sum + isWrong[row]!, 0) / k;
}
