/**
 * The adviser: which rule to trust on a problem. It measures the problem, rules out what the measurements forbid, and
 * ranks the rest with a reason, a prediction and a caution each.
 */
import {
  checkArgument,
  checkOptions,
  placementOf,
  required,
  treeMap,
  checkCount,
} from "../../program/internal.ts";
import {
  type Placement,
  type Tensor,
  type TensorLike,
  toTensor,
  type Tree,
} from "../../program/index.ts";
import { DATA, DYNAMICS, PROJECTION } from "../option-kinds.ts";
import { tree } from "@jax-js/jax";
import { drawData } from "./data.ts";
import { predict } from "./prediction.ts";
import { adviseRules } from "./rules.ts";
import { asDynamics } from "../dynamics.ts";
import { checkFloatLeaves } from "../estimate/leaves.ts";
import { firstWeights, type HostPoint } from "./follower-runs.ts";
import { measureProblem, type MeasuredProblem } from "./measure.ts";
import type { Advice, AdviseOptions, Recommendation } from "./types.ts";
import { formatBytes } from "./plan.ts";
import type { Problem } from "../problem.ts";

/**
 * Measures a problem at a point and ranks rules for it.
 *
 * The follower's steps are made from the given weights and from seeded starts around them, again and again until it comes
 * to rest; Lanczos' method finds the extreme curvatures of the inner objective there. Where the inner solution is unique
 * with positive curvature, rules that differentiate the steps come first, and the implicit rule among them when the given
 * steps solve the inner problem. Where a direction is flat, or there are several solutions, those rules depend on the
 * start and are ruled out.
 *
 * Single-loop rules come after those where the inner objective is strongly convex. They come first where the data are
 * minibatches whose noise keeps the follower from its solution: the standard deviation of ∇_w L there exceeds both the
 * gradient there and a thousandth of the gradient at the start. With `seconds`, what is predicted to take longer comes after
 * what is not. What a finite number of starts, products and minibatches cannot see, the adviser does not know.
 *
 * @throws RangeError when `steps`, `starts`, `batches`, `bytes` or `seconds` is out of range, or the outer sampler stacks
 *   its batches; TypeError when w is missing, or a leaf of λ or w is not floating-point.
 * @example
 * const { ranking, sentence } = await advise(problem, { lambda, w, data, steps: 100, dynamics, bytes: 1e8 });
 * const rule = ranking[0]?.rule;
 */
export async function advise<L, W, D, O>(
  asked: Problem<L, W, D, O>,
  options: AdviseOptions,
): Promise<Advice> {
  checkArgument("advise", "problem", asked, "object");
  checkOptions("advise", options, {
    lambda: "any!",
    w: "any",
    data: required(DATA),
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    bytes: "number",
    seconds: "number",
    starts: "number",
    batches: "number",
    seed: "number",
    device: "string",
    threads: "number",
    flushDenormals: "boolean",
    optimize: "boolean",
    blockedKernels: "boolean",
  });
  const problem = asked as Problem;
  const { steps, projection, bytes = Infinity, seconds = Infinity, seed = 0 } = options;
  const { starts = 7, batches = 16 } = options;
  checkCount("advise: steps", steps);
  checkCount("advise: starts", starts);
  if (starts === 1) {
    throw new RangeError(
      "advise: starts must be at least 2, for one start shows one solution only.",
    );
  }
  checkCount("advise: batches", batches);
  if (batches === 1) {
    throw new RangeError("advise: batches must be at least 2, for one minibatch shows no noise.");
  }
  for (const [name, limit] of Object.entries({ bytes, seconds })) {
    if (limit > 0) continue;
    throw new RangeError(`advise: ${name} must be a number > 0; ${String(limit)} came.`);
  }
  const session = placementOf(options);
  const dynamics = asDynamics(options.dynamics);
  const data = await drawData(problem, options.data, { batches, seed });
  const point = await hostPoint(problem, options, data.seen, session);
  if (tree.leaves<Tensor>(point.w).some(({ dtype }) => dtype === "float16")) {
    throw new TypeError(
      "advise: w is float16, in which curvatures drown in rounding; measure in float32 or float64.",
    );
  }
  const measured = await measureProblem(problem, point, data, {
    steps,
    dynamics,
    projection,
    starts,
    seed,
    seconds,
    session,
  });
  const advised = adviseRules(measured, {
    steps,
    dynamics,
    projection,
    bytes,
    hasInit: problem.init !== undefined,
    isStochastic:
      measured.noise !== undefined ||
      steps * dynamics.gradientsPerStep * measured.secondsPerGradient > seconds,
    fixed: data.fixed,
  });
  const predicted = advised.drafts.map((draft) =>
    predict(draft, problem, point, measured, seconds),
  );
  const isSlow = (one: Recommendation): boolean => one.seconds > seconds;
  const drafts = [...predicted.filter((one) => !isSlow(one)), ...predicted.filter(isSlow)];
  // The planner has held its own against the budget, tables included.
  const ranking = drafts.filter((one) => one.bytes <= bytes);
  const { innerSolutions, isSolved, ruledOut, found } = advised;
  const sentence = `${found} ${conclude(ranking, drafts, advised.none, measured, bytes)}`;
  return { measured, innerSolutions, isSolved, ranking, ruledOut, sentence };
}

async function hostPoint(
  problem: Problem,
  { lambda, w }: AdviseOptions,
  data: HostPoint["data"],
  session: Placement,
): Promise<HostPoint> {
  const host = (values: Tree<TensorLike>): Tree<Tensor> => treeMap(toTensor, values);
  const known = { lambda: host(lambda), data };
  checkFloatLeaves("advise", "lambda", known.lambda);
  if (problem.init) return { ...known, w: await firstWeights(problem, known, session) };
  if (w === undefined) {
    throw new TypeError(
      "advise: w, the follower's first weights, is missing; give it, or give the problem an init.",
    );
  }
  checkFloatLeaves("advise", "w", host(w));
  return { ...known, w: host(w) };
}

function conclude(
  [best]: readonly Recommendation[],
  drafts: readonly Recommendation[],
  none: string | undefined,
  { diverges }: MeasuredProblem,
  bytes: number,
): string {
  if (best) return `Use ${best.call}: ${best.why}`;
  if (diverges) return "No rule can help before the steps converge; lower the inner learning rate.";
  if (drafts.length === 0) {
    return (
      none ??
      "No rule is left that takes such an inner problem with an init or a projection; give w instead of init, or leave the projection out."
    );
  }
  const least = drafts.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  return `Nothing fits in ${formatBytes(bytes)}; the least is ${formatBytes(least.bytes)}, for ${least.call}.`;
}
