/** What an outer loop runs: its compiled programs and its data, opened once and used at every step. */
import {
  type Executable,
  forbidCapture,
  Tensor,
  type TensorLike,
  type Tree,
} from "../../program/index.ts";
import { checkIdentity, type Identity, type StateTrees } from "./checkpoint.ts";
import {
  describeTree,
  fingerprintOfBytes,
  fingerprintOfTree,
  placementOf,
} from "../../program/internal.ts";
import { hostTree } from "../estimate/leaves.ts";
import {
  buildOuterStep,
  buildStart,
  type OuterStepInputs,
  type OuterStepOutputs,
  type StartOutputs,
} from "./outer-step.ts";
import type { BilevelData, Problem } from "../problem.ts";
import type { Cost } from "../rule.ts";
import { isSampler, type Sampler } from "./samplers.ts";
import type { FullSolveOptions } from "./options.ts";

/** Compiled programs, data and states of one run. */
export interface Machine {
  /** Of one step. */
  readonly cost: Cost;
  /** Of this run, when it writes or reads checkpoints. */
  readonly identity: Identity | undefined;
  /** λ where the next step evaluates. */
  readonly lambda: Tree<Tensor>;
  /** Draws step k's batches and runs it; the step after it starts from what it gives. */
  step(k: number): Promise<OuterStepOutputs>;
  dispose(): Promise<void>;
}

/** Where a run goes on. */
export interface Saved {
  readonly identity: Identity;
  readonly trees: Pick<StateTrees, "w" | "nextLambda" | "follower" | "optimizer">;
}

/**
 * Traces, compiles and makes the first states.
 *
 * @param first - the first step that will run: its batches give the shapes.
 * @param saved - the checkpoint that the run goes on from.
 * @throws {@link CheckpointError} "mismatch" when the checkpoint belongs to another run.
 */
export async function openMachine(
  problem: Problem,
  options: FullSolveOptions,
  first: number,
  saved: Saved | undefined,
): Promise<Machine> {
  const { lambda, w, captured } = options;
  const given = saved || options.checkpoint ? givenIdentity(options) : undefined;
  // Whatever differs is better said before tracing fails over it.
  if (saved && given)
    checkIdentity({ ...saved.identity, [programPart]: "" }, { ...given, [programPart]: "" });
  const isWarm = options.start === "warm" && problem.init === undefined;
  const draw = batches(options);
  const data = await draw(first);
  const parts = { ...options, problem, isWarm, data, batched: isBatched(options) };
  const placement = placementOf(options);

  const program = forbidCapture(captured, () => buildStart(parts));
  const starter = await program.compile(placement);
  const made = (await starter.run({ lambda, w })) as unknown as StartOutputs;
  await starter.dispose();

  const { program: step, cost } = forbidCapture(captured, () => buildOuterStep(parts, made));
  const identity = given && { ...given, [programPart]: fingerprintOfBytes(step.toOnnx()) };
  if (saved && identity) checkIdentity(saved.identity, identity);
  const executable: Executable = await step.compile(placement);
  let states = saved
    ? statesOf(saved.trees.w, saved.trees.nextLambda, saved.trees.follower, saved.trees.optimizer)
    : statesOf(w, made.firstLambda, made.firstFollower, made.firstOptimizer);
  return {
    cost,
    identity,
    get lambda() {
      return states.lambda;
    },
    async step(k) {
      const batch = k === first ? data : await draw(k);
      const t = new Tensor("int32", [], Int32Array.of(k));
      const inputs: OuterStepInputs = { ...states, t, ...batch };
      const outputs = (await executable.run({ ...inputs })) as unknown as OuterStepOutputs;
      const { nextLambda, nextFollower, nextOptimizer } = outputs;
      states = statesOf(outputs.w, nextLambda, nextFollower, nextOptimizer);
      return outputs;
    },
    dispose: () => executable.dispose(),
  };

  /** A cold follower starts every step at the weights that were given. */
  function statesOf(
    reached: Tree<Tensor>,
    lambda: Tree<Tensor>,
    follower: Tree<Tensor>,
    optimizer: Tree<Tensor>,
  ): Pick<OuterStepInputs, "lambda" | "w" | "follower" | "optimizer"> {
    return { lambda, w: isWarm ? reached : w, follower, optimizer };
  }
}

/** Both levels' data at a step: the arrays as given, or the samplers' batches. */
function batches({
  data,
  seed,
}: FullSolveOptions): (k: number) => Promise<BilevelData<Tree<Tensor>>> {
  const level = (stream: "inner" | "outer"): ((k: number) => Promise<Tree<Tensor>>) => {
    const source: Tree<TensorLike> | Sampler = data[stream];
    const host = (values: Tree<TensorLike>): Tree<Tensor> =>
      hostTree("solve", `data.${stream}`, values);
    if (isSampler(source)) return async (k) => host(await source.batch(k, { seed, stream }));
    const arrays = host(source);
    return async () => arrays;
  };
  const inner = level("inner");
  const outer = level("outer");
  return async (k) => ({ inner: await inner(k), outer: await outer(k) });
}

function isBatched({ data, rule }: FullSolveOptions): boolean {
  for (const stream of ["inner", "outer"] as const) {
    const source: unknown = data[stream];
    if (!isSampler(source) || source.perStep === undefined) continue;
    if (stream === "outer") {
      throw new TypeError(
        "solve: the outer sampler must give one batch for each outer step; leave its perStep out.",
      );
    }
    if (source.perStep !== rule.innerSteps) {
      throw new RangeError(
        `solve: the inner sampler must stack one batch for each of the rule's ${rule.innerSteps} inner steps, it stacks ${source.perStep}; give it perStep: ${rule.innerSteps}, or leave perStep out for one batch in all of them.`,
      );
    }
    return true;
  }
  return false;
}

/** What a checkpoint must share with this run, but for the program, which is known only once it is built. */
function givenIdentity(options: FullSolveOptions): Identity {
  const { rule, optimizer, constraints, start, seed, data, w } = options;
  const source = (level: Tree<TensorLike> | Sampler): string =>
    isSampler(level) ? level.fingerprint() : `${describeTree(level)} ${fingerprintOfTree(level)}`;
  return {
    rule: rule.name,
    optimizer: optimizer.name,
    constraints: constraints?.label ?? "none",
    lambda: describeTree(options.lambda),
    w: describeTree(w),
    // A warm start has no further use for the first weights.
    start: start === "warm" ? start : `cold from ${fingerprintOfTree(w)}`,
    seed: String(seed),
    "inner data": source(data.inner),
    "outer data": source(data.outer),
  };
}

const programPart = "the compiled program of problem, rule and optimizer";
