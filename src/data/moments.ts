/** Mean and population standard deviation, finite for all finite values. */
export function moments(values: Float64Array): { mean: number; sd: number } {
  const count = values.length;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // Squares of numbers beyond these limits overflow or vanish; measure in units of the largest.
  const unit = largest > 1e100 || (largest > 0 && largest < 1e-100) ? largest : 1;
  let sum = 0;
  for (const value of values) sum += value / unit;
  const mean = sum / count;
  let squares = 0;
  for (const value of values) squares += (value / unit - mean) ** 2;
  return { mean: mean * unit, sd: Math.sqrt(squares / count) * unit };
}
