/**
 * What the inner curvature along the inner gradient g says of a penalty on ‖g‖²: its descent changes the inner objective at
 * the rate −2gᵀ∇²_ww L g, and climbs it where that curvature is negative, to a maximum or a saddle.
 */
import type { LinearVerdict } from "./linear-report.ts";

/** Reads what a rule measured; undefined when the rule has no such penalty, or its descent does not climb. */
export function judgeAscent(
  measured: Readonly<Partial<Record<string, number>>>,
): LinearVerdict | undefined {
  const curvature = measured["curvatureAlongGradient"];
  // NaN: the gradient is 0.
  if (curvature === undefined || !(curvature < 0)) return undefined;
  return {
    status: "singular",
    sentence: `The inner objective curves down along its gradient (${curvature.toExponential(2)}), so that the penalty on the gradient's norm climbs it, to a maximum or a saddle: start nearer to a minimum, or use valuePenalty.`,
  };
}

/** What a whole run leaves to say: a sentence when its last evaluation climbed. */
export function ascentWarnings(
  history: readonly { readonly measured: Readonly<Record<string, number>> }[],
): string[] {
  const last = history.at(-1);
  const verdict = last && judgeAscent(last.measured);
  return verdict ? [`At the last step: ${verdict.sentence}`] : [];
}
