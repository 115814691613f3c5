/** What a ranking is worth: how many planted errors it found, and what it says in words. */
import { formatCount, formatPercent } from "../../data/internal.ts";
import type { Ranking } from "./rank.ts";
import { averagePrecision } from "./score.ts";

/** How many of the planted errors the ranking found. */
export interface SelfCheck {
  planted: number;
  /** The first rows that are looked at. */
  top: number;
  found: number;
  /** found / top */
  precision: number;
  /** found / planted */
  recall: number;
  averagePrecision: number;
  /** The same by the probability alone. */
  averagePrecisionOfProbability: number;
  /** Share of planted errors among all rows: the precision of a random order. */
  share: number;
}

/**
 * The check on planted errors, `undefined` when none were planted.
 *
 * @param top - rows that are looked at.
 */
export function selfCheck(ranking: Ranking, top: number): SelfCheck | undefined {
  const { planted, order, score, probability } = ranking;
  if (planted === undefined) return undefined;
  const count = planted.reduce((sum, v) => sum + v, 0);
  const seen = Math.min(top, order.length);
  const found = order.subarray(0, seen).reduce((sum, entry) => sum + planted[entry]!, 0);
  return {
    planted: count,
    top: seen,
    found,
    precision: found / seen,
    recall: found / count,
    averagePrecision: averagePrecision(score, planted),
    averagePrecisionOfProbability: averagePrecision(
      probability.map((p) => -p),
      planted,
    ),
    share: count / order.length,
  };
}

/** What the ranking says, one sentence each. */
export function verdictOf(ranking: Ranking, top: number): string[] {
  const doubted = ranking.labels.reduce(
    (sum, label, i) => sum + Number(label !== ranking.suggested[i]),
    0,
  );
  const share = formatPercent(doubted / ranking.rows.length);
  const check = selfCheck(ranking, top);
  const sentence = `Models trained without the row prefer another class for ${formatCount(doubted, "row")} (${share}); these can be wrong labels, and rows that are hard or rare.`;
  if (check === undefined) return [sentence, "Look at the rows before you change them."];
  return [
    sentence,
    `Self-check: ${formatCount(check.planted, "error was", "errors were")} planted; ${check.found} of the first ${formatCount(check.top, "row")} are planted (precision ${formatPercent(check.precision)}, recall ${formatPercent(check.recall)}; a random order has precision ${formatPercent(check.share)}).`,
    `Average precision is ${check.averagePrecision.toFixed(3)}, by the probability alone ${check.averagePrecisionOfProbability.toFixed(3)}. Labels that were wrong before count as misses, so the true precision may be higher.`,
  ];
}
