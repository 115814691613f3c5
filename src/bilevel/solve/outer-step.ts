/**
 * The programs of an outer loop: one that makes the first states, and the one that is run at every step,
 * from λ and the states of follower and optimizer to their next values. Nothing else happens between two steps.
 */
import { numpy as np, tree } from "@jax-js/jax";
import {
  type JaxFunction,
  Program,
  type Tensor,
  type Tree,
  type Value,
  zeros,
} from "../../program/index.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Arrays, BilevelData, Problem } from "../problem.ts";
import { checkLike } from "../estimate/leaves.ts";
import type { Projection } from "../projections.ts";
import type { Cost, Measured, Rule } from "../rule.ts";

/** The parts of an outer step; arrays are examples of the shapes and types. */
export interface OuterStepOptions {
  readonly problem: Problem;
  readonly rule: Rule;
  readonly optimizer: Optimizer;
  readonly constraints?: Projection | undefined;
  /** The follower starts each step where the last one left it; else at the weights `w`, or at the problem's `init`. */
  readonly isWarm: boolean;
  /** Whether to evaluate the inner objective at the follower's response. */
  readonly innerValue: boolean;
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly data: BilevelData<Tree<Tensor>>;
  /** True when the inner data are stacked minibatches, one for each inner step. */
  readonly batched: boolean;
}

/** The states that {@link buildStart} makes. */
export interface StartOutputs {
  /** λ, projected onto the constraints. */
  readonly firstLambda: Tree<Tensor>;
  readonly firstFollower: Tree<Tensor>;
  readonly firstOptimizer: Tree<Tensor>;
}

/** What an outer step takes. */
export interface OuterStepInputs {
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly follower: Tree<Tensor>;
  readonly optimizer: Tree<Tensor>;
  /** Index of the update, int32, for schedules. */
  readonly t: Tensor;
  readonly inner: Tree<Tensor>;
  readonly outer: Tree<Tensor>;
}

/** What an outer step gives: the evaluation at λ, and the states of the next step. */
export interface OuterStepOutputs {
  readonly value: Tensor;
  readonly gradient: Tree<Tensor>;
  /** The follower's weights. */
  readonly w: Tree<Tensor>;
  readonly measured: Measured<Tensor>;
  /** Zero or one scalar: L at the follower's response. */
  readonly innerValue: readonly Tensor[];
  /** Zero or one scalar: ‖λ − P(λ − dF/dλ)‖₂ with the constraints' projection P. */
  readonly projectedGradientNorm: readonly Tensor[];
  readonly nextLambda: Tree<Tensor>;
  readonly nextFollower: Tree<Tensor>;
  readonly nextOptimizer: Tree<Tensor>;
}

/** The program of the first states: inputs `lambda` and `w`, outputs {@link StartOutputs}. */
export function buildStart(options: Omit<OuterStepOptions, "data" | "batched">): Program {
  const { rule, optimizer, constraints, isWarm } = options;
  const program = new Program("start");
  const given: Tree<Value> = program.input("lambda", options.lambda);
  const w = program.input("w", options.w);
  const lambda = project(program, constraints, given);
  program.output("firstLambda", lambda);
  program.output("firstFollower", isWarm ? call(program, rule.init, w, lambda) : []);
  program.output("firstOptimizer", call(program, optimizer.init, lambda));
  return program;
}

/**
 * The program of a step: inputs {@link OuterStepInputs}, outputs {@link OuterStepOutputs}.
 *
 *     value, g = estimate(λ);   λ' = P(update(g, λ))
 *
 * @param start - the states, as examples of their shapes.
 */
export function buildOuterStep(
  options: OuterStepOptions,
  start: StartOutputs,
): { program: Program; cost: Cost } {
  const { problem, rule, optimizer, constraints, isWarm, batched } = options;
  const program = new Program("outer-step");
  const lambda = program.input("lambda", start.firstLambda);
  const w = program.input("w", options.w);
  const follower = program.input("follower", start.firstFollower);
  const memory = program.input("optimizer", start.firstOptimizer);
  const t = program.input("t", zeros([], "int32"));
  const data = {
    inner: program.input("inner", options.data.inner),
    outer: program.input("outer", options.data.outer),
  };

  const state = isWarm || problem.init ? follower : call(program, rule.init, w, lambda);
  const estimate = rule.estimate(program, problem, { lambda, w, state, data, batched, isWarm });
  const { gradient } = estimate;
  const [updated, nextMemory] = program.call(updateLeader, gradient, memory, lambda, t);
  program.output("value", estimate.value);
  program.output("gradient", gradient);
  program.output("w", estimate.w);
  // The first step starts at the weights that were given, which depend on nothing.
  const afterFirst = (t: np.Array): np.Array => np.greater(t, 0).astype(np.float32);
  program.output("measured", {
    ...estimate.report,
    ...(isWarm && rule.needs.warmBias && { warmStart: program.call(afterFirst, t) }),
  });
  program.output(
    "innerValue",
    options.innerValue ? [program.call(innerObjective, estimate.w, lambda, data.inner)] : [],
  );
  program.output(
    "projectedGradientNorm",
    constraints ? [program.call(projectedNorm, lambda, gradient)] : [],
  );
  program.output("nextLambda", project(program, constraints, updated));
  program.output("nextFollower", isWarm ? estimate.state : []);
  program.output("nextOptimizer", nextMemory);
  return { program, cost: estimate.cost };

  function updateLeader(gradient: Arrays, memory: Arrays, lambda: Arrays, t: np.Array): Arrays[] {
    return optimizer.update(gradient, memory, lambda, t);
  }

  function innerObjective(w: Arrays, lambda: Arrays, raw: Arrays): np.Array {
    const data = batched ? lastOf(raw) : raw;
    return problem.inner(w, lambda, problem.prepare ? problem.prepare(lambda, data) : data);
  }

  function projectedNorm(lambda: Arrays, gradient: Arrays): np.Array {
    const step = (x: np.Array, g: np.Array): np.Array => x.sub(g);
    const projected = constraints!(tree.map(step, lambda, gradient) as Arrays);
    const squares = tree.map(
      (x: np.Array, p: np.Array) => np.sum(np.square(x.sub(p))),
      lambda,
      projected,
    );
    return np.sqrt(tree.leaves<np.Array>(squares).reduce((sum, x) => sum.add(x)));
  }
}

function project(
  program: Program,
  constraints: Projection | undefined,
  lambda: Tree<Value>,
): Tree<Value> {
  if (constraints === undefined) return lambda;
  const confined = call(program, constraints, lambda);
  checkLike("solve", "constraints", "lambda", lambda, confined);
  return confined;
}

/** `program.call` for functions from trees to trees whose structure only the caller's problem knows. */
function call(program: Program, fn: JaxFunction, ...args: Tree<Value>[]): Tree<Value> {
  return program.call(fn, ...args) as Tree<Value>;
}

/** The last of stacked minibatches. */
function lastOf(stacked: Arrays): Arrays {
  return tree.map((leaf: np.Array) => leaf.slice(leaf.shape[0]! - 1), stacked) as Arrays;
}
