/**
 * Accuracy over a list of test episodes, the same list for every learner: mean, 95 % interval and the accuracy of each
 * episode, after any numbers of inner steps.
 */
import { checkArgument, checkOptions } from "../program/internal.ts";
import { SIGNAL } from "../bilevel/internal.ts";
import { type Episode, type ImageSet, stackEpisodes } from "../data/index.ts";
import { randomKey, randomStream } from "../random/index.ts";
import type { Tensor, Tree } from "../program/index.ts";
import { openClassifier, type ClassifierOptions, type Normalization } from "./classifier.ts";
import type { Learner } from "./learner.ts";

/** Options of {@link openEvaluation}. */
export interface EvaluationOptions extends ClassifierOptions {
  readonly set: ImageSet;
  /** Such as those of `listEpisodes`, all of one shape. */
  readonly episodes: readonly Episode[];
  /** Episodes in one run of the program. Default 20, or all when there are fewer. */
  readonly chunk?: number;
  /** Breaks ties between equal logits at random. Default 0. */
  readonly seed?: number;
  /** Ends an evaluation after the episodes in progress, by rejecting with its reason. */
  readonly signal?: AbortSignal;
}

/** What a learner reached after some number of inner steps. */
export interface Evaluation {
  /** T, the follower's steps on each support set. */
  readonly steps: number;
  /** Of each episode: the share of its query images that were labelled rightly. */
  readonly accuracies: Float64Array;
  readonly count: number;
  readonly mean: number;
  /** s over the episodes, with n − 1 in the denominator; NaN for one episode. */
  readonly standardDeviation: number;
  /** 1.96·s/√n: the 95 % interval is mean ± this. */
  readonly halfWidth: number;
}

/** An evaluation that can be repeated, as at each validation of a training. */
export interface Evaluator {
  /**
   * @param statistics - what batch normalization uses. Default: each set's own.
   * @returns one evaluation for each number of inner steps, ascending.
   */
  evaluate(lambda: Tree<Tensor>, statistics?: Normalization): Promise<Evaluation[]>;
  /** Frees the compiled programs. */
  dispose(): Promise<void>;
}

const kinds = {
  set: "object!",
  episodes: "any!",
  chunk: "number",
  seed: "number",
  signal: SIGNAL,
  steps: "any",
  device: "string",
  threads: "number",
  flushDenormals: "boolean",
  log: "boolean",
  graphOptimization: "string",
} as const;

/**
 * Opens an evaluation on a list of episodes.
 *
 * A query image counts as labelled rightly when its greatest logit is that of its class. Between equal ones a random one is
 * taken, so that a learner that cannot tell classes apart gets 1/ways; a logit that is not a number never wins.
 *
 * @throws RangeError for no episodes, or a chunk that is not a whole number ≥ 1.
 */
export function openEvaluation(learner: Learner, options: EvaluationOptions): Evaluator {
  checkArgument("openEvaluation", "learner", learner, "object");
  checkOptions("openEvaluation", options, kinds);
  const { set, episodes, seed = 0, signal, ...sizes } = options;
  const { chunk = Math.min(20, episodes.length), ...rest } = sizes;
  if (episodes.length === 0) {
    throw new RangeError("openEvaluation: needs at least one episode; see listEpisodes.");
  }
  if (!Number.isSafeInteger(chunk) || chunk < 1) {
    throw new RangeError(`openEvaluation: chunk must be a whole number >= 1; ${chunk} came.`);
  }
  const { channels, height, width, classes } = set;
  const ways = episodes[0]!.classes.length;
  const shape = { ways, image: { channels, height, width }, classes: classes.length };
  const classifier = openClassifier(learner, shape, rest);
  return {
    async evaluate(lambda, statistics) {
      const accuracies = classifier.steps.map(() => new Float64Array(episodes.length));
      for (let first = 0; first < episodes.length; first += chunk) {
        signal?.throwIfAborted();
        const own = episodes.slice(first, first + chunk);
        // The last run is filled up, so that one program does for all.
        const filled = [...own, ...Array<Episode>(chunk - own.length).fill(own[0]!)];
        const batch = stackEpisodes(set, filled);
        const logits = await classifier.logits(lambda, batch, statistics);
        logits.forEach((values, t) =>
          own.forEach((_, i) => {
            const key = randomKey(seed, "ties", first + i);
            const stream = randomStream(key);
            accuracies[t]![first + i] = accuracyOf(values, batch.query.y, i, stream.integer);
          }),
        );
      }
      return accuracies.map((values, i) => summarize(classifier.steps[i]!, values));
    },
    dispose: () => classifier.dispose(),
  };
}

/** {@link openEvaluation} for a single use. */
export async function evaluate(
  learner: Learner,
  lambda: Tree<Tensor>,
  options: EvaluationOptions & { statistics?: Normalization },
): Promise<Evaluation[]> {
  checkArgument("evaluate", "learner", learner, "object");
  checkOptions("evaluate", options, { ...kinds, statistics: "any" });
  const { statistics, ...rest } = options;
  const evaluator = openEvaluation(learner, rest);
  try {
    return await evaluator.evaluate(lambda, statistics);
  } finally {
    await evaluator.dispose();
  }
}

/** The share of one task's rows [n, ways] whose greatest entry is at the label. */
function accuracyOf(
  logits: Tensor,
  labels: Tensor,
  task: number,
  draw: (bound: number) => number,
): number {
  const [, n, ways] = logits.shape as [number, number, number];
  let hits = 0;
  for (let i = task * n; i < (task + 1) * n; i++) {
    const row = Array.from(logits.data.subarray(i * ways, (i + 1) * ways), (v) =>
      Number.isNaN(v) ? -Infinity : v,
    );
    const greatest = Math.max(...row);
    const winners = row.flatMap((v, k) => (v === greatest ? [k] : []));
    const winner = winners.length === 1 ? winners[0]! : winners[draw(winners.length)]!;
    hits += Number(winner === labels.data[i]);
  }
  return hits / n;
}

function summarize(steps: number, accuracies: Float64Array): Evaluation {
  const count = accuracies.length;
  const mean = accuracies.reduce((sum, v) => sum + v, 0) / count;
  const squares = accuracies.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const standardDeviation = Math.sqrt(squares / (count - 1));
  const halfWidth = (1.96 * standardDeviation) / Math.sqrt(count);
  return { steps, accuracies, count, mean, standardDeviation, halfWidth };
}
