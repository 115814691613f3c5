/** Ends an outer loop whose objective no longer improves: a pure function of the values so far. */

/** Stop when `patience` steps in a row bring no improvement of more than `minImprovement`. */
export interface EarlyStopping {
  /** Steps without improvement, at least 1. */
  readonly patience: number;
  /** In the outer objective's unit, absolute; default 0. */
  readonly minImprovement?: number;
}

/**
 * Refuses options that cannot work.
 *
 * @throws RangeError when `patience` is not a positive integer or `minImprovement` is negative.
 */
export function checkEarlyStopping({ patience, minImprovement = 0 }: EarlyStopping): void {
  if (!Number.isInteger(patience) || patience < 1) {
    throw new RangeError(
      `solve: earlyStopping.patience must be a positive integer, got ${patience}; try 10.`,
    );
  }
  if (!(minImprovement >= 0)) {
    throw new RangeError(
      `solve: earlyStopping.minImprovement must be a number >= 0, got ${minImprovement}.`,
    );
  }
}

/**
 * Steps since the last improvement. A value improves when it is below the reference by more than
 * `minImprovement`, and then becomes the reference; the first value is the first reference.
 */
export function stepsWithoutImprovement(
  history: readonly { readonly value: number }[],
  { minImprovement = 0 }: Pick<EarlyStopping, "minImprovement">,
): number {
  let reference = Infinity;
  let last = 0;
  history.forEach(({ value }, step) => {
    if (value < reference - minImprovement) {
      reference = value;
      last = step;
    }
  });
  return Math.max(0, history.length - 1 - last);
}
