/** What is thought of a problem's measurements: the one place where numbers are held against limits. */
import type { InnerSolutions } from "./types.ts";
import { flatness } from "./curvature.ts";
import type { MeasuredProblem } from "./measure.ts";
import type { Tolerance } from "../rule.ts";

/** The gradient's fall at which the report calls the inner problem solved, and at which implicit rules come first. */
export const SOLVED = { relative: 1e-3, absolute: 1e-6 };
export const WELL_SOLVED = { relative: 1e-6, absolute: 1e-9 };

/** Whether the inner gradient fell that far. */
export function isWithin(measured: MeasuredProblem, { relative, absolute }: Tolerance): boolean {
  const { diverges, relativeGradientNorm, gradientNorm } = measured;
  return !diverges && (relativeGradientNorm <= relative || gradientNorm <= absolute);
}

/** One inner solution, a flat direction, or several. */
export function judgeSolutions(measured: MeasuredProblem): InnerSolutions {
  const { atResponse, anywhere, spread, endSpread, startSpread, solvedStarts, starts } = measured;
  const zero = flatnessOf(measured);
  const isNegative = ({ smallest, largest }: typeof atResponse): boolean =>
    smallest < -zero * Math.max(largest, -smallest);
  if (isNegative(atResponse)) return "several";
  // A few products may miss a flat direction; ends that stay apart along it do not.
  const isPositive =
    atResponse.smallest > zero * atResponse.largest &&
    (atResponse.isExhausted || endSpread <= AGREE * startSpread);
  if (!isPositive) return isNegative(anywhere) ? "several" : "flat";
  if (spread > AGREE * startSpread) return "several";
  // Where the curvature changes its sign on the way, only starts that all end at one point speak for a single one.
  return isNegative(anywhere) && solvedStarts < starts ? "several" : "unique";
}

/**
 * Whether minibatches keep the follower from its solution: their noise exceeds the gradient where it went, and is more than
 * is left of the gradient where the inner problem counts as solved.
 */
export function isNoisy(measured: MeasuredProblem): boolean {
  const noise = measured.noise?.inner;
  if (!noise) return false;
  return (
    noise.response.scale > 1 &&
    noiseFloor(measured) > SOLVED.relative &&
    Math.sqrt(noise.response.variance) > SOLVED.absolute
  );
}

/** Ends are one point when they lie this much closer together than their starts. */
const AGREE = 1e-3;

/** What counts as zero beside the largest curvature; see {@link flatness}. */
export function flatnessOf({ bytesPerFloat }: MeasuredProblem): number {
  return flatness({ dtype: bytesPerFloat === 8 ? "float64" : "float32" });
}

/**
 * How far T steps on minibatches can bring the inner gradient down, relative to its start: its standard deviation where the
 * follower went over its norm where it began. 0 when the inner data are not sampled.
 */
export function noiseFloor({ noise }: MeasuredProblem): number {
  if (!noise?.inner || noise.inner.response.variance === 0) return 0;
  const { start, response } = noise.inner;
  return Math.sqrt(response.variance / Math.max(start.squaredNorm, 0));
}
