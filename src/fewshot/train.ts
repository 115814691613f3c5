/** Training of a learner: `solve` on its bilevel problem, with episodes for data. */
import { checkArgument, checkOptions, withDefaults } from "../program/internal.ts";
import { CHECKPOINT, OPTIMIZER, OUTER_LOOP } from "../bilevel/internal.ts";
import {
  adam,
  type Arrays,
  type Problem,
  type Solve,
  solve,
  type SolveOptions,
} from "../bilevel/index.ts";
import { shapeOf, type Learner, type TaskSource } from "./learner.ts";

/** Options of {@link train}: where the tasks come from, and what `solve` takes besides. */
export interface TrainOptions
  extends
    TaskSource,
    Omit<SolveOptions, "rule" | "data" | "w" | "lambda" | "optimizer" | "start" | "seed"> {
  /** How λ moves. Default: Adam at 1e-3. */
  readonly optimizer?: SolveOptions["optimizer"];
  /** Where λ starts. Default: the learner's first λ for this seed. */
  readonly lambda?: SolveOptions["lambda"];
}

/**
 * Trains a learner on a stream of episodes.
 *
 *     step k:  λ ← update(λ, mean hypergradient over episodes k·B … k·B + B − 1)
 *
 * It is `solve`, with its budget, checkpoints, resuming bit for bit and endings. `seed` draws the episodes and the first λ.
 * The value of a step is the query sets' mean loss after adapting. The inner objective is not recorded unless `innerValue`
 * asks for it.
 *
 * @throws as `solve` and `drawEpisode`.
 * @example
 * const learner = hyperRepresentation({ encoder: convolutionalEncoder() });
 * const run = train(learner, { set, episode: { ways: 5, shots: 1, queries: 15 }, tasks: 4, seed: 0, budget: { steps: 1000 } });
 * for await (const { step, value } of run) console.log(step, value);
 */
export function train(learner: Learner, options: TrainOptions): Solve<Arrays, Arrays> {
  checkArgument("train", "learner", learner, "object");
  checkOptions("train", options, {
    ...OUTER_LOOP,
    optimizer: OPTIMIZER,
    lambda: "any",
    set: "object!",
    episode: "object!",
    tasks: "number!",
    seed: "number!",
    keepBest: "boolean",
    checkpoint: CHECKPOINT,
    resume: "any",
  });
  const { set, episode, tasks, seed, ...rest } = options;
  const source: TaskSource = { set, episode, tasks, seed };
  const { problem, ...training } = learner.training(source);
  return solve(problem as Problem<Arrays, Arrays, Arrays, Arrays>, {
    ...withDefaults(
      {
        optimizer: adam({ learningRate: 1e-3 }),
        lambda: learner.init(shapeOf(source), seed),
        innerValue: false,
      },
      rest,
    ),
    seed,
    ...training,
    start: "cold",
  });
}
