// Accuracies as percentages with two decimals, as few-shot results are printed.

/** `98.62 %`, or `98.62 ± 0.24 %` with the half width of an interval. */
export function percent(share: number, halfWidth?: number): string {
  const mean = (100 * share).toFixed(2);
  return halfWidth === undefined ? `${mean} %` : `${mean} ± ${(100 * halfWidth).toFixed(2)} %`;
}
