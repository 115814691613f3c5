/** Regression for orders of accuracy. */

/** Least-squares slope of log(errors) over x. */
export function logSlope(x: readonly number[], errors: readonly number[]): number {
  const y = errors.map(Math.log);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, v) => sum + v, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, v, i) => sum + (v - mx) * (y[i]! - my), 0);
  return covariance / x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
}
