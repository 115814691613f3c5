/** One evaluation of the hypergradient: builds and compiles the rule's program once, runs it, and explains the result. */
import {
  type Built,
  checkArgument,
  checkOptions,
  placementOf,
  ProgramCache,
  required,
  specsOf,
  walk,
} from "../../program/internal.ts";
import {
  ArraySpec,
  forbidCapture,
  type Placement,
  Program,
  type SessionOptions,
  type Tensor,
  type TensorLike,
  type Tree,
  type Value,
} from "../../program/index.ts";
import { CONSTANTS, EVALUATION, RULE } from "../option-kinds.ts";
import { tree, type numpy as np } from "@jax-js/jax";
import { checkConstants, type ProblemConstants } from "../bounds.ts";
import { checkFloatLeaves, hostTree, jaxArrays, leafPaths } from "../estimate/leaves.ts";
import type { BilevelData, Problem } from "../problem.ts";
import { makeReport, type Report } from "./report.ts";
import type { Cost, Measured, Rule } from "../rule.ts";

/** Where a hypergradient is evaluated. */
export interface EvaluationPoint {
  readonly lambda: Tree<TensorLike>;
  /** The follower's first weights. Not read, and may be left out, when the problem has its own `init`. */
  readonly w?: Tree<TensorLike>;
  readonly data: BilevelData<Tree<TensorLike>>;
  /** True when every leaf of `data.inner` is stacked as [steps, ...], one minibatch for each inner step. */
  readonly batched?: boolean;
}

/** The hypergradient at a point. */
export interface Hypergradient<L, W> {
  /** The outer objective at the follower's response, a scalar. */
  readonly value: Tensor;
  /** dF/dλ, the tree and shapes of λ. */
  readonly gradient: Tensors<L>;
  /** The follower's response. */
  readonly w: Tensors<W>;
  readonly report: Report;
}

/** The tree of `T` with host tensors for its arrays. */
export type Tensors<T> = tree.MapJsTree<T, np.Array, Tensor>;

/**
 * Evaluates F(λ) = E(w(λ), λ) and dF/dλ by a rule. The program is compiled on the first call with this problem, rule,
 * tree shapes and placement, and found again afterwards; also by a problem or a rule that was made anew, once it is traced.
 * {@link disposePrograms} frees it.
 *
 * @param options.lambda - hyperparameters: any tree of floating-point arrays.
 * @param options.w - the follower's first weights: any tree of floating-point arrays.
 * @param options.data - `{ inner, outer }`: trees of arrays of any type.
 * @param options.constants - what is known of the problem, for the report's bound on the error; changes nothing else.
 * @throws TypeError when a leaf of λ or w is not floating-point, naming it.
 * @throws TraceError when an objective cannot be traced, is not scalar, or reads λ or w from its closure.
 * @example
 * const { value, gradient, report } = await hypergradient(problem, { rule, lambda, w, data });
 */
export async function hypergradient<L, W, D, O>(
  problem: Problem<L, W, D, O>,
  options: EvaluationPoint &
    Placement & { readonly rule: Rule; readonly constants?: ProblemConstants },
): Promise<Hypergradient<L, W>> {
  checkArgument("hypergradient", "problem", problem, "object");
  checkOptions("hypergradient", options, {
    ...EVALUATION,
    rule: required(RULE),
    constants: CONSTANTS,
  });
  const { rule, constants, lambda, w: start, data, batched } = options;
  const point: EvaluationPoint = {
    lambda,
    data,
    ...(start !== undefined && { w: start }),
    ...(batched !== undefined && { batched }),
  };
  if (constants) checkConstants("hypergradient: constants", constants);
  const compiled = await compileEstimate(problem, rule, point, placementOf(options));
  const started = performance.now();
  const { value, gradient, w, measured } = await compiled.run(point);
  const seconds = (performance.now() - started) / 1000;
  const evaluated = { value, gradient, w, measured };
  const report = makeReport(rule, compiled.cost, evaluated, seconds, compiled.warnings, {
    constants,
    batched: point.batched,
    hasInit: problem.init !== undefined,
  });
  return { value, gradient: gradient as Tensors<L>, w: w as Tensors<W>, report };
}

/**
 * Frees the compiled programs of a problem, of one rule or of all. Later evaluations compile again. Nobody has to: of all
 * programs the 32 that were used last are open, and a rule or a problem made anew finds the program that computes the same.
 */
export async function disposePrograms(problem: Problem, rule?: Rule): Promise<void> {
  checkArgument("disposePrograms", "problem", problem, "object");
  const prefix = rule && `${idOf(rule)} `;
  await programs.get(problem)?.dispose((key) => prefix === undefined || key.startsWith(prefix));
}

/** A compiled estimate. */
export interface CompiledEstimate {
  readonly cost: Cost;
  readonly warnings: readonly string[];
  run(point: EvaluationPoint): Promise<EstimateResult>;
  dispose(): Promise<void>;
}

export interface EstimateResult {
  readonly value: Tensor;
  readonly gradient: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly measured: Measured<Tensor>;
}

/**
 * Compiles the rule's estimate for points shaped like `point`, or returns the program compiled before.
 *
 * @param options.valueOnly - only the forward pass: `run` returns an empty gradient, w and report.
 */
export async function compileEstimate(
  problem: Problem,
  rule: Rule,
  point: EvaluationPoint,
  options: SessionOptions & { valueOnly?: boolean } = {},
): Promise<CompiledEstimate> {
  const { valueOnly = false, ...session } = options;
  const cache = programs.get(problem) ?? new ProgramCache<About>();
  programs.set(problem, cache);
  const inputs = inputsOf(problem, point);
  const specs = mapInputs(specsOf, inputs) as Inputs<ArraySpec>;
  const batched = point.batched ?? false;
  const key = JSON.stringify([specs, batched, options], describeLeaf);
  const captured = jaxArrays({ lambda: point.lambda, w: point.w ?? [] });
  const make = (): Built<About> =>
    forbidCapture(captured, () => build(problem, rule, specs, { batched, valueOnly }));
  const compiled = await cache.get(`${idOf(rule)} ${key}`, make, session);
  // What is compiled again later holds no array of this point.
  captured.clear();
  return {
    ...compiled.about,
    run: async (point) => {
      const outputs = await compiled.run({ ...inputsOf(problem, point) });
      return { gradient: [], measured: {}, w: [], ...outputs } as unknown as EstimateResult;
    },
    dispose: () => compiled.dispose(),
  };
}

type About = Pick<CompiledEstimate, "cost" | "warnings">;

const programs = new WeakMap<Problem, ProgramCache<About>>();

const ids = new WeakMap<Rule, number>();
let lastId = 0;

/** A number for each rule. */
function idOf(rule: Rule): number {
  const id = ids.get(rule) ?? ++lastId;
  ids.set(rule, id);
  return id;
}

function build(
  problem: Problem,
  rule: Rule,
  specs: Inputs<ArraySpec>,
  { batched, valueOnly }: { batched: boolean; valueOnly: boolean },
): Built<About> {
  checkFloatLeaves("hypergradient", "lambda", specs.lambda);
  checkFloatLeaves("hypergradient", "w", specs.w);
  const program = new Program(`${rule.name} hypergradient`);
  const { lambda, w, inner, outer } = mapInputs(
    (like, name) => program.input(name, like as never) as Tree<Value>,
    specs,
  );
  const state = problem.init ? [] : program.call(rule.init as never, w, lambda);
  const data = { inner, outer };
  const estimate = rule.estimate(program, problem, { lambda, w, state, data, batched });
  program.output("value", estimate.value);
  if (!valueOnly) {
    program.output("gradient", estimate.gradient);
    program.output("w", estimate.w);
    program.output("measured", estimate.report);
  }
  const about = { cost: estimate.cost, warnings: unusedHyperparameters(program, lambda) };
  return { program, about };
}

type Inputs<T> = Record<"lambda" | "w" | "inner" | "outer", Tree<T>>;

function mapInputs<A, B>(
  fn: (values: Tree<A>, name: keyof Inputs<A>) => B,
  { lambda, w, inner, outer }: Inputs<A>,
): Record<keyof Inputs<A>, B> {
  return {
    lambda: fn(lambda, "lambda"),
    w: fn(w, "w"),
    inner: fn(inner, "inner"),
    outer: fn(outer, "outer"),
  };
}

function inputsOf(problem: Problem, point: EvaluationPoint): Inputs<Tensor> {
  if (point.w === undefined && problem.init === undefined) {
    throw new TypeError(
      "hypergradient: w, the follower's first weights, is missing; give it, or give the problem an init.",
    );
  }
  const host = (root: string, values: Tree<TensorLike>): Tree<Tensor> =>
    hostTree("hypergradient", root, values);
  return {
    lambda: host("lambda", point.lambda),
    w: problem.init || point.w === undefined ? [] : host("w", point.w),
    inner: host("data.inner", point.data.inner),
    outer: host("data.outer", point.data.outer),
  };
}

/** A sentence for each hyperparameter that no operation of the program reads. */
function unusedHyperparameters(program: Program, lambda: Tree<Value>): string[] {
  const read = new Set<Value>();
  for (const operation of walk(program.block({ optimize: false }))) {
    for (const value of operation.inputs) read.add(value);
  }
  const paths = leafPaths("lambda", lambda);
  return tree
    .leaves<Value>(lambda)
    .flatMap((leaf, i) =>
      read.has(leaf)
        ? []
        : [
            `${paths[i]} is not used by any function of the problem, so its hypergradient is 0; read it from the lambda argument (not from a closure), or leave it out.`,
          ],
    );
}

function describeLeaf(_key: string, value: unknown): unknown {
  return value instanceof ArraySpec ? value.toString() : value;
}
