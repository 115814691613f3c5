/**
 * Was tuning worth it? Reads the methods' test metrics and answers in words, marking a best method only where the paired
 * intervals over the repeated splits allow it.
 */
import { meanInterval } from "../../data/index.ts";
import type { MethodResult, TuneResult } from "./types.ts";
import { formatEstimate } from "../../data/internal.ts";

/** How a metric is shown and read. */
export interface MetricInfo {
  key: string;
  title: string;
  better: "higher" | "lower";
}

/** A metric over the methods, with the best one where the evidence picks one. */
export interface MetricComparison {
  metric: MetricInfo;
  best?: string;
}

/** The comparison of the methods of one run. */
export interface Comparison {
  metrics: readonly MetricComparison[];
  /** The metric of the verdict: the tuned loss's own, log loss or RMSE. */
  primary?: MetricInfo;
  /** Sentences that say whether the search was worth it. */
  verdict: readonly string[];
}

/** A difference between two methods, positive where the first is better. */
export interface Difference {
  mean: number;
  /** NaN with fewer than two splits. */
  halfWidth: number;
  splits: number;
}

const known: readonly (MetricInfo & { aliases: readonly string[] })[] = [
  { key: "logLoss", title: "log loss", better: "lower", aliases: ["logloss", "crossentropy"] },
  { key: "rmse", title: "RMSE", better: "lower", aliases: ["rmse"] },
  { key: "accuracy", title: "accuracy", better: "higher", aliases: ["accuracy"] },
  {
    key: "balancedAccuracy",
    title: "balanced accuracy",
    better: "higher",
    aliases: ["balancedaccuracy"],
  },
  { key: "rocAuc", title: "ROC AUC", better: "higher", aliases: ["rocauc", "auc"] },
  { key: "mae", title: "MAE", better: "lower", aliases: ["mae"] },
  { key: "r2", title: "R²", better: "higher", aliases: ["r2", "r²"] },
];

/** The known metric behind a key, whatever its spelling (`logLoss`, `log loss`, `log-loss`). */
export function describeMetric(key: string): MetricInfo {
  const plain = key.toLowerCase().replace(/[^a-z0-9²]/g, "");
  const found = known.find(({ aliases }) => aliases.includes(plain));
  if (found !== undefined) return { key, title: found.title, better: found.better };
  return { key, title: key, better: /loss|error|rmse|mae/i.test(key) ? "lower" : "higher" };
}

/**
 * The result with every method reduced to the splits that all of them finished, so that a stopped
 * run compares like with like. Unchanged when nothing has to go, or nothing would be left.
 */
export function onCommonSplits(result: TuneResult): TuneResult {
  const common = Math.min(...result.methods.map(({ seconds }) => seconds.length));
  const { train, validation, test } = result.rows;
  const testFraction = test / (train + validation + test);
  if (!(common > 0) || result.methods.every(({ seconds }) => seconds.length === common)) {
    return result;
  }
  const methods = result.methods.map((method) => ({
    ...method,
    seconds: method.seconds.slice(0, common),
    validationLoss: method.validationLoss.slice(0, common),
    test: Object.fromEntries(
      Object.entries(method.test).map(([metric, estimate]) => {
        const values = estimate.values.slice(0, common);
        const { mean, halfWidth } = meanInterval(values, { testFraction });
        return [metric, { values, mean, halfWidth }];
      }),
    ),
  }));
  return { ...result, methods };
}

/** Compares the methods of a finished run on every test metric. */
export function compareMethods(result: TuneResult): Comparison {
  const keys = Object.keys(result.methods[0]?.test ?? {});
  const rank = (key: string): number => {
    const index = known.findIndex(({ title }) => title === describeMetric(key).title);
    return index < 0 ? known.length : index;
  };
  const metrics = keys
    .toSorted((a, b) => rank(a) - rank(b))
    .map(describeMetric)
    .map((metric) => {
      const best = bestMethod(result, metric);
      return best === undefined ? { metric } : { metric, best };
    });
  const primary = metrics[0]?.metric;
  if (primary === undefined) return { metrics, verdict: ["No method was finished on any split."] };
  return { metrics, primary, verdict: verdictSentences(result, primary) };
}

/**
 * The paired difference of two methods over the splits that both finished.
 *
 * Splits of one table overlap, so the interval is the corrected one of Nadeau and Bengio, see
 * `meanInterval` with `testFraction`.
 */
export function pairedDifference(
  result: TuneResult,
  metric: MetricInfo,
  first: MethodResult,
  second: MethodResult,
): Difference {
  const a = first.test[metric.key]?.values ?? [];
  const b = second.test[metric.key]?.values ?? [];
  const splits = Math.min(a.length, b.length);
  const sign = metric.better === "higher" ? 1 : -1;
  const differences = Array.from({ length: splits }, (_, i) => sign * (a[i]! - b[i]!));
  if (splits < 2) return { mean: differences[0] ?? NaN, halfWidth: NaN, splits };
  const { train, validation, test } = result.rows;
  const testFraction = test / (train + validation + test);
  const { mean, halfWidth } = meanInterval(differences, { testFraction });
  return { mean, halfWidth, splits };
}

function bestMethod(result: TuneResult, metric: MetricInfo): string | undefined {
  const { methods } = result;
  if (methods.length < 2) return undefined;
  return methods.find((candidate) =>
    methods.every((other) => {
      if (other === candidate) return true;
      const { mean, halfWidth } = pairedDifference(result, metric, candidate, other);
      return mean - halfWidth > 0;
    }),
  )?.method;
}

function verdictSentences(result: TuneResult, metric: MetricInfo): string[] {
  const baselines = result.methods.filter(({ role }) => role === "baseline");
  const searches = result.methods.filter(({ role }) => role === "search");
  if (searches.length === 0) return ["No search was finished on any split."];
  return searches.flatMap((tuned) => {
    const sentences: string[] = [];
    const shares = tuned.shares ?? [];
    const held = shares.filter((share) => share === 0).length;
    if (held > 0) {
      const all = held === shares.length;
      const where = all ? "every split" : `${held} of ${shares.length} splits`;
      sentences.push(
        `On ${where} the held-out rows favoured the search's start, and it was kept there.`,
      );
    }
    // The strongest rival first.
    return [
      ...sentences,
      ...baselines.toReversed().map((rival) => {
        const difference = pairedDifference(result, metric, tuned, rival);
        return differenceSentence(metric, difference, tuned.called, rival.called);
      }),
    ];
  });
}

function differenceSentence(
  metric: MetricInfo,
  difference: Difference,
  called: string,
  rival: string,
): string {
  const { mean, halfWidth, splits } = difference;
  const subject = called[0]!.toUpperCase() + called.slice(1);
  if (splits === 0) return `${subject} and ${rival} have no split in common.`;
  const size = formatEstimate(Math.abs(mean), halfWidth);
  if (splits === 1) {
    const side = mean === 0 ? "equalled" : mean > 0 ? "did better than" : "did worse than";
    const by = mean === 0 ? "" : ` by ${size}`;
    return `${subject} ${side} ${rival} on test ${metric.title}${by}, on a single split: five splits or more tell whether that is chance.`;
  }
  const evidence = `95 % interval of the paired difference over ${splits} splits`;
  if (mean - halfWidth > 0)
    return `${subject} beat ${rival} on test ${metric.title}, by ${size} (${evidence}).`;
  if (mean + halfWidth < 0) {
    return `${subject} did worse than ${rival} on test ${metric.title}, by ${size} (${evidence}).`;
  }
  if (mean === 0)
    return `${subject} and ${rival} gave the same test ${metric.title} on all ${splits} splits.`;
  const side = mean > 0 ? "better" : "worse";
  return `${subject} did not clearly differ from ${rival}: test ${metric.title} was ${side} by ${size}, and that ${evidence} includes 0.`;
}
