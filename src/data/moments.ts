/** Mean and population standard deviation, and when a spread is nothing but rounding. */

/**
 * Mean and population standard deviation, finite for all finite values. Both are taken of the differences to the first
 * value, so that a large offset costs no digits.
 */
export function moments(values: Float64Array): { mean: number; sd: number } {
  const count = values.length;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // Squares of numbers beyond these limits overflow or vanish; measure in units of the largest.
  const unit = largest > 1e100 || (largest > 0 && largest < 1e-100) ? largest : 1;
  const first = values[0]! / unit;
  let sum = 0;
  for (const value of values) sum += value / unit - first;
  const mean = sum / count;
  let squares = 0;
  for (const value of values) squares += (value / unit - first - mean) ** 2;
  return { mean: (first + mean) * unit, sd: Math.sqrt(squares / count) * unit };
}

/**
 * Whether numbers from `low` to `high` are one number up to rounding: their range is at most 1e-13 of their size, some 450
 * units in the last place, which is what a sum of a thousand terms may leave. Such a range must not serve as a unit.
 */
export function isOneNumber(low: number, high: number): boolean {
  return high - low <= 1e-13 * Math.max(Math.abs(low), Math.abs(high));
}
