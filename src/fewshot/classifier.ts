/**
 * A trained learner on new tasks: its follower adapts to a support set, for as many steps as asked for, and labels the
 * query set. One program for all tasks of a run, one after the other.
 */
import {
  type Built,
  callTree,
  checkArgument,
  checkOptions,
  ProgramCache,
  specsOf,
} from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { weightsOf } from "../bilevel/internal.ts";
import type { Arrays } from "../bilevel/index.ts";
import type { EpisodeBatch } from "../data/index.ts";
import {
  type ArraySpec,
  Program,
  type SessionOptions,
  type Tensor,
  type Tree,
  type Value,
} from "../program/index.ts";
import type { Block, Encoder, Statistics } from "./encoder.ts";
import type { Adaptation, Learner, TaskShape } from "./learner.ts";

/** Options of {@link openClassifier}. */
export interface ClassifierOptions extends SessionOptions {
  /** The numbers of inner steps T ≥ 0 to label after. Default: the learner's own in training. */
  readonly steps?: readonly number[];
}

/**
 * What batch normalization uses at test. Left out, each set's own statistics, so that the labels of query images depend on
 * each other (transductive). Given ones, one for each block, for all sets. "support": the support set's own for the query
 * set too, at the weights that the follower has adapted.
 */
export type Normalization = readonly Statistics<Tensor>[] | "support";

/** A learner's programs for tasks of one shape. */
export interface Classifier {
  /** The numbers of inner steps, ascending. */
  readonly steps: readonly number[];
  /**
   * Adapts to each task's support set and labels its query set.
   *
   * @param lambda - the learner's hyperparameters.
   * @param statistics - default: each set's own.
   * @returns logits after each number of steps, [tasks, n, ways] each.
   */
  logits(lambda: Tree<Tensor>, batch: EpisodeBatch, statistics?: Normalization): Promise<Tensor[]>;
  /** Frees the compiled programs. */
  dispose(): Promise<void>;
}

/**
 * Opens a learner for new tasks. Programs are compiled at the first use of each shape.
 *
 * @throws RangeError when a number of steps is not a whole number ≥ 0.
 */
export function openClassifier(
  learner: Learner,
  shape: TaskShape,
  options: ClassifierOptions = {},
): Classifier {
  checkArgument("openClassifier", "learner", learner, "object");
  checkArgument("openClassifier", "learner.adaptation", learner.adaptation, "function");
  checkArgument("openClassifier", "shape", shape, "object");
  checkOptions("openClassifier", options, {
    steps: "any",
    device: "string",
    threads: "number",
    flushDenormals: "boolean",
    log: "boolean",
    graphOptimization: "string",
  });
  const { steps: asked, ...session } = options;
  const adaptation = learner.adaptation(shape);
  const steps = stepsOf(adaptation, asked);
  const programs = new ProgramCache();
  return {
    steps,
    async logits(lambda, batch, statistics) {
      const inputs: Inputs<Tensor> = {
        lambda,
        start: adaptation.start ?? [],
        support: { ...batch.support },
        query: { ...batch.query },
        statistics: (Array.isArray(statistics) ? statistics : []) as Tree<Tensor>,
      };
      const { support, query } = batch;
      const mode = statistics === "support" ? "support" : statistics ? "given" : "own";
      const name = [support.x, query.x, mode].join(" ");
      const specs = specsOf(inputs as never) as unknown as Inputs<ArraySpec>;
      const make = (): Built<undefined> => ({
        program: build(learner.encoder, adaptation, steps, specs, mode),
        about: undefined,
      });
      const program = await programs.get(name, make, session);
      const { logits } = await program.run({ ...inputs });
      return logits as Tensor[];
    },
    dispose: () => programs.dispose(),
  };
}

interface Inputs<T> {
  readonly lambda: Tree<T>;
  /** Of one task. */
  readonly start: Tree<T>;
  readonly support: Tree<T>;
  readonly query: Tree<T>;
  /** One for each block, or none at all. */
  readonly statistics: Tree<T>;
}

function stepsOf({ dynamics, steps }: Adaptation, asked: readonly number[] = [steps]): number[] {
  const wrong = asked.find((t) => !Number.isSafeInteger(t) || t < 0);
  if (wrong !== undefined || asked.length === 0) {
    throw new RangeError(
      `openClassifier: steps must be a list of whole numbers >= 0; ${wrong ?? "an empty list"} came.`,
    );
  }
  // A response in closed form is the same after any number of steps.
  return dynamics ? [...new Set(asked)].sort((a, b) => a - b) : [0];
}

function build(
  encoder: Encoder,
  adaptation: Adaptation,
  steps: readonly number[],
  like: Inputs<ArraySpec>,
  mode: "own" | "given" | "support",
): Program {
  const { problem, dynamics, predict } = adaptation;
  const program = new Program("classifier");
  const lambda = program.input("lambda", like.lambda) as Tree<Value>;
  const first = program.input("start", like.start) as Tree<Value>;
  const support = program.input("support", like.support) as Tree<Value>;
  const query = program.input("query", like.query) as Tree<Value>;
  const given = program.input("statistics", like.statistics) as Tree<Value>;

  const prepare = (images: Tree<Value>, statistics?: Tree<Value>): Tree<Value> => {
    const data = { ...(images as object), ...(statistics && { statistics }) } as Tree<Value>;
    return problem.prepare ? callTree(program, problem.prepare, lambda, data) : data;
  };
  const measure = (params: Block<np.Array>[], x: np.Array): Statistics<np.Array>[] =>
    encoder.statistics(params, x);
  /** The encoder's weights at the follower's response: the follower's own, or else the leader's. */
  const encoderOf = (w: Tree<Value>): Tree<Value> => {
    const [follower, leader] = [w, lambda] as { encoder?: Tree<Value> }[];
    return follower!.encoder ?? leader!.encoder!;
  };
  const [, logits] = program.scan(
    { length: (support as { x: Value }).x.shape[0]! },
    (none: Tree<Value>, task: { support: { x: Value; y: Value }; query: Tree<Value> }) => {
      const { x } = task.support;
      const shared = mode === "given" ? given : undefined;
      const data = prepare(task.support, shared);
      const w = problem.init ? callTree(program, problem.init, lambda, data) : first;
      const label = (w: Tree<Value>): Value => {
        const own = mode === "support" ? callTree(program, measure, encoderOf(w), x) : shared;
        return program.call(predict, w, lambda, prepare(task.query, own));
      };
      if (!dynamics) return [none, [label(w)]];
      const step = (state: Arrays, lambda: Arrays, data: Arrays, t: np.Array): Arrays =>
        dynamics.step(state as never, lambda, data, problem.inner, t);
      let state = callTree(program, (w: Arrays) => dynamics.init(w), w);
      let done = 0;
      const all = steps.map((target) => {
        const from = done;
        [state] = program.scan(
          { length: target - from },
          (state: Tree<Value>, _: Tree<Value>, i) => {
            const t = program.call((i: np.Array) => i.add(from), i);
            return [callTree(program, step, state, lambda, data, t), []];
          },
          state,
        );
        done = target;
        return label(weightsOf(state));
      });
      return [none, all];
    },
    [],
    { support, query },
  );
  program.output("logits", logits);
  return program;
}
