/**
 * What the inner curvature along the inner gradient g says of a penalty on ‖g‖²: its descent changes the inner objective at
 * the rate −2gᵀ∇²_ww L g, and climbs it where that curvature is negative, to a maximum or a saddle.
 */
import type { MeasuredNumbers } from "../../bounds.ts";
import type { Verdict } from "../../rule.ts";

/** Says that the penalty's descent climbs; undefined when it does not. */
export function judgeAscent(measured: MeasuredNumbers): Verdict | undefined {
  const curvature = measured["curvatureAlongGradient"]!;
  // NaN: the gradient is 0.
  if (!(curvature < 0)) return undefined;
  return {
    status: "singular",
    sentence: `The inner objective curves down along its gradient (${curvature.toExponential(2)}), so that the penalty on the gradient's norm climbs it, to a maximum or a saddle: start nearer to a minimum, or use valuePenalty.`,
  };
}

/** What a whole run leaves to say: a sentence when its last evaluation climbed. */
export function ascentWarnings(history: readonly MeasuredNumbers[]): string[] {
  const last = history.at(-1);
  const verdict = last && judgeAscent(last);
  return verdict ? [`At the last step: ${verdict.sentence}`] : [];
}
