/**
 * Is the hypergradient right? Its inner product with a direction d is compared with the central difference
 * (F(λ + h·d) − F(λ − h·d)) / 2h of the same follower, whose error falls as h² until rounding takes over.
 */
import {
  checkArgument,
  checkOptions,
  placementOf,
  required,
  treeMap,
} from "../../program/internal.ts";
import { type Placement, Tensor, tensor, type Tree } from "../../program/index.ts";
import { EVALUATION, RULE } from "../option-kinds.ts";
import { tree } from "@jax-js/jax";
import {
  dot,
  GIVEN_TOLERANCE,
  givenInWords,
  hostPoint,
  inGivenType,
  norm,
  type GivenType,
} from "./check-given.ts";
import { observedOrder, settle, type Difference } from "./differences.ts";
import { compileEstimate, type CompiledEstimate, type EvaluationPoint } from "./hypergradient.ts";
import { leafPaths } from "../estimate/leaves.ts";
import type { Problem } from "../problem.ts";
import { integers, randomKey } from "../../random/index.ts";
import type { Rule } from "../rule.ts";

/** Options of {@link checkHypergradient}. */
export interface CheckOptions extends EvaluationPoint, Placement {
  readonly rule: Rule;
  /** Random directions through all of λ; default 3. With 2 to 16 leaves, each leaf alone gets one more. */
  readonly directions?: number;
  /** Seed of the directions; default 0. */
  readonly seed?: number;
  /** Step sizes h, largest first, in units of 1 + ‖λ‖; default 1e-1 … 1e-7. */
  readonly steps?: readonly number[];
  /** Relative error against the differences that passes; default 1e-6, or 5e-3 where only float32 runs. */
  readonly tolerance?: number;
}

/** One direction of a check. */
export interface DirectionCheck {
  /** "random direction 1", or the path of the leaf that alone moves. */
  readonly name: string;
  /** ⟨hypergradient, d⟩. */
  readonly analytic: number;
  /** The central difference that neighbouring step sizes confirm best. */
  readonly numeric: number;
  /** How much its neighbours differ from it, relative. */
  readonly uncertainty: number;
  /** |analytic − numeric|, relative to the larger of the two. */
  readonly relativeError: number;
  /** Slope of log error against log h where truncation dominates (2 is right); undefined when no step shows it. */
  readonly order: number | undefined;
  readonly differences: readonly Difference[];
}

/** The verdict on a hypergradient. */
export interface Check {
  readonly passed: boolean;
  readonly sentence: string;
  /** Median of the directions' observed orders; undefined when none shows one (F is quadratic). */
  readonly order: number | undefined;
  /** Largest relative error over the directions, each at its best step. */
  readonly bestRelativeError: number;
  /** Whether F was evaluated in float64, or why not. */
  readonly precision: "float64" | "float32";
  /** How the hypergradient in float32 compares, when λ or w came in it and the check ran in float64. */
  readonly given?: GivenType;
  readonly table: readonly DirectionCheck[];
}

/**
 * Checks a rule's hypergradient on a problem against central differences of the same T-step follower, in float64
 * unless the program only runs in float32. Arrays in float32 are cast for that, and the hypergradient in float32 is then
 * held against the one in float64: it passes when both agree to 5e-3, and not when it is not finite.
 *
 * A hypergradient of a rule that approximates the limit T → ∞ instead of the T-step follower differs by that
 * approximation, and the check says so by failing.
 *
 * @throws as {@link hypergradient}; RangeError when `directions` or `steps` cannot work.
 * @example
 * const check = await checkHypergradient(problem, { rule, lambda, w, data });
 * if (!check.passed) throw new Error(check.sentence);
 */
export async function checkHypergradient(problem: Problem, options: CheckOptions): Promise<Check> {
  checkArgument("checkHypergradient", "problem", problem, "object");
  checkOptions("checkHypergradient", options, {
    ...EVALUATION,
    rule: required(RULE),
    directions: "number",
    seed: "number",
    steps: "any",
    tolerance: "number",
  });
  const { rule, directions = 3, seed = 0, steps = DEFAULT_STEPS } = options;
  if (!Number.isSafeInteger(directions) || directions < 1) {
    throw new RangeError(`checkHypergradient: directions must be >= 1; ${directions} came.`);
  }
  if (steps.length < 3 || steps.some((h, i) => !(h > 0) || (i > 0 && h >= steps[i - 1]!))) {
    throw new RangeError(
      `checkHypergradient: steps must be at least three positive sizes, largest first; [${steps.join(", ")}] came.`,
    );
  }
  const programs = await compileBoth(problem, rule, hostPoint(options), placementOf(options));
  const { point, gradient: full, value } = programs;
  const { gradient, ...rest } = await full.run(point);
  const lambda = point.lambda as Tree<Tensor>;
  const precision = rest.value.dtype === "float64" ? "float64" : "float32";
  const scale = 1 + norm(lambda);
  const evaluate = async (direction: Tree<Tensor>, h: number): Promise<number> => {
    const moved = treeMap((x: Tensor, d: Tensor) => move(x, d, h), lambda, direction);
    return (await value.run({ ...point, lambda: moved })).value.item();
  };

  const table: DirectionCheck[] = [];
  for (const { name, direction } of drawDirections(lambda, directions, seed)) {
    const analytic = dot(gradient, direction);
    const differences: Difference[] = [];
    for (const size of steps) {
      const h = size * scale;
      const [plus, minus] = [await evaluate(direction, h), await evaluate(direction, -h)];
      differences.push({
        h,
        numeric: (plus - minus) / (2 * h),
        magnitude: Math.max(Math.abs(plus), Math.abs(minus)),
      });
    }
    const { numeric, uncertainty } = settle(differences);
    // Where both are 0 up to rounding, an absolute error of 1e-8 of F counts as agreement at the level 1.
    const size = Math.max(
      Math.abs(analytic),
      Math.abs(numeric),
      1e-8 * (1 + differences[0]!.magnitude),
    );
    table.push({
      name,
      analytic,
      numeric,
      uncertainty: uncertainty / size,
      relativeError: Math.abs(analytic - numeric) / size,
      order: observedOrder(analytic, differences, EPSILON[precision]),
      differences,
    });
  }
  const tolerance = options.tolerance ?? TOLERANCE[precision];
  const given =
    precision === "float64"
      ? await inGivenType(problem, rule, options, { ...rest, gradient })
      : undefined;
  return judge(table, { tolerance, precision, reason: programs.reason, given });
}

const DEFAULT_STEPS: readonly number[] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];
const TOLERANCE = { float64: 1e-6, float32: 5e-3 };
const EPSILON = { float64: 2 ** -52, float32: 2 ** -23 };

function judge(
  table: readonly DirectionCheck[],
  options: {
    readonly tolerance: number;
    readonly precision: "float64" | "float32";
    readonly reason: string;
    readonly given: GivenType | undefined;
  },
): Check {
  const { tolerance, precision, reason, given } = options;
  const orders = table
    .flatMap(({ order }) => (order === undefined ? [] : [order]))
    .sort((a, b) => a - b);
  const order = orders[Math.floor(orders.length / 2)];
  const failed = table.filter(({ relativeError }) => !(relativeError <= tolerance));
  const bestRelativeError = table.reduce(
    (worst, row) => (row.relativeError <= worst ? worst : row.relativeError),
    0,
  );
  const isGivenRight = given === undefined || given.relativeError <= GIVEN_TOLERANCE;
  const passed = failed.length === 0 && isGivenRight;
  const observed =
    order === undefined
      ? "the order is not observable: from the largest step on the error is at rounding level, as for a quadratic F"
      : `the error falls as h^${order.toFixed(2)} (2 is expected)`;
  const agreement = `The hypergradient agrees with central differences in ${precision}${reason}: relative error at most ${bestRelativeError.toExponential(1)} over ${table.length} directions; ${observed}.`;
  const ofGiven = given === undefined ? "" : ` ${givenInWords(given, isGivenRight)}`;
  const sentence =
    failed.length === 0
      ? agreement + ofGiven
      : `${failure(failed)}${reason}${isGivenRight ? "" : ofGiven}`;
  return {
    passed,
    sentence,
    order,
    bestRelativeError,
    precision,
    ...(given && { given }),
    table,
  };
}

function failure(failed: readonly DirectionCheck[]): string {
  const leaves = failed.filter(({ name }) => name.startsWith("lambda"));
  const named = leaves.length > 0 ? leaves : failed;
  const worst = named.reduce((a, b) => (b.relativeError > a.relativeError ? b : a));
  const where = leaves.length > 0 ? named.map(({ name }) => name).join(", ") : worst.name;
  const says = `along ${where}: for ${worst.name} it says ${worst.analytic.toPrecision(8)}, central differences say ${worst.numeric.toPrecision(8)} (relative error ${worst.relativeError.toExponential(1)}`;
  if (!Number.isFinite(worst.relativeError)) {
    return `The hypergradient or the objective is not finite ${says}).`;
  }
  if (worst.relativeError < 10 * worst.uncertainty) {
    return `The check cannot decide ${says}, while the differences themselves are uncertain by ${worst.uncertainty.toExponential(1)}): F is not smooth there or too noisy; try other steps.`;
  }
  return `The hypergradient is wrong ${says}, and smaller steps do not reduce it): a term is missing or scaled; look for a stop_gradient, a value read from a closure, or a rule that approximates the limit of many steps.`;
}

/** Programs for the gradient and for the value alone, in float64 if they compile, else as given. */
async function compileBoth(
  problem: Problem,
  rule: Rule,
  given: EvaluationPoint,
  placement: Placement,
): Promise<{
  point: EvaluationPoint;
  gradient: CompiledEstimate;
  value: CompiledEstimate;
  reason: string;
}> {
  const compileAt = async (point: EvaluationPoint, reason: string) => ({
    point,
    gradient: await compileEstimate(problem, rule, point, placement),
    value: await compileEstimate(problem, rule, point, { ...placement, valueOnly: true }),
    reason,
  });
  const wide = hostPoint(given, "float64");
  try {
    return await compileAt(wide, "");
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // A mistake in the problem fails in either type and is thrown from here.
    return await compileAt(hostPoint(given, undefined), ` (float64 was refused: ${message})`);
  }
}

/** Unit vectors: random ones through all of λ, then one inside each leaf. */
function* drawDirections(
  lambda: Tree<Tensor>,
  count: number,
  seed: number,
): Generator<{ name: string; direction: Tree<Tensor> }> {
  const [leaves, structure] = tree.flatten<Tensor>(lambda);
  const draw = (stream: number, only?: number): Tree<Tensor> => {
    const raw = leaves.map((leaf, i) => {
      const key = randomKey(seed, stream, i);
      const uniform = integers(key, leaf.size, 2 ** 24);
      const isMoved = only === undefined || only === i;
      return Float64Array.from(uniform, (u) => (isMoved ? (u + 0.5) / 2 ** 23 - 1 : 0));
    });
    const length =
      Math.sqrt(raw.reduce((sum, x) => sum + x.reduce((s, v) => s + v * v, 0), 0)) || 1;
    const scaled = raw.map(
      (x, i) =>
        new Tensor(
          "float64",
          leaves[i]!.shape,
          x.map((v) => v / length),
        ),
    );
    return tree.unflatten(structure, scaled);
  };
  for (let i = 0; i < count; i++) yield { name: `random direction ${i + 1}`, direction: draw(i) };
  if (leaves.length < 2 || leaves.length > 16) return;
  const paths = leafPaths("lambda", lambda);
  for (let i = 0; i < leaves.length; i++) yield { name: paths[i]!, direction: draw(count, i) };
}

function move(x: Tensor, direction: Tensor, h: number): Tensor {
  const moved = Float64Array.from(x.data, (v, i) => v + h * direction.data[i]!);
  return tensor(moved, { dtype: x.dtype, shape: x.shape });
}
