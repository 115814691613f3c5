/**
 * Both levels of a problem at one point, for rules that descend with gradients of the two objectives and never
 * differentiate through the follower's steps: their data, prepared once; gradients for the leader, which also flow
 * through `prepare`; and the coefficients that change with the outer step k.
 */
import type { DType, numpy as np } from "@jax-js/jax";
import { grad, type Program, type Tree, type Value } from "../../program/index.ts";
import { checkFloatLeaves, treeDistance } from "./leaves.ts";
import { callTree, treeMap } from "../../program/internal.ts";
import { coefficientAt } from "../optimizers/optimizer.ts";
import { isSchedule, type Schedule } from "../optimizers/schedule.ts";
import { checkObjectives, prepareData } from "./prepare.ts";
import type { Arrays, BilevelData, Problem } from "../problem.ts";
import type { Measured, Point } from "../rule.ts";
import { treeNorm } from "../../linear/internal.ts";

type Values = Tree<Value>;

/** A coefficient of a rule: a number, or a {@link Schedule} over the outer steps k = 0, 1, … that the state counts. */
export type Rate = number | Schedule;

/** Both objectives as functions of the weights alone, at one λ and with their data; jax-js functions. */
export interface AtLeader {
  inner(w: Arrays): np.Array;
  outer(w: Arrays): np.Array;
}

/** A tree like λ and one like the weights. */
export type Joint<T> = { readonly lambda: T; readonly w: T };

/** The two levels of one problem at one point. */
export interface Levels {
  /** Prepared data; the inner ones are those of the last inner step. */
  readonly data: BilevelData<Values>;
  /** E(w, λ). */
  outerValue(w: Values): Value;
  /** ∇_λ of a scalar of both objectives, such as E + γ(L(y) − L(z)); `objective` is a jax-js function. */
  leaderGradient(
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the trees are the rule's
    objective: (at: AtLeader, ...args: any[]) => np.Array,
    ...args: Values[]
  ): Values;
  /** ∇_λ and ∇_w at once of a scalar of both objectives at weights w. */
  jointGradient(
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the trees are the rule's
    objective: (at: AtLeader, w: any, ...args: any[]) => np.Array,
    w: Values,
    ...args: Values[]
  ): Joint<Values>;
  /**
   * How far y is from an inner solution, by the estimate z of a minimizer: `gap` = L(y, λ) − L(z, λ), `responseDistance` =
   * ‖y − z‖, and `valueGradientNorm` = ‖∇_w L(z, λ)‖, which tells whether z may be believed.
   */
  measureGap(
    y: Values,
    z: Values,
  ): { readonly gap: Value; readonly responseDistance: Value; readonly valueGradientNorm: Value };
  /**
   * `length` steps x ← step(x, λ, inner data, outer data, ...args), each with its own minibatch when they are stacked.
   *
   * @param step - a jax-js function.
   */
  repeat(
    length: number,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the trees are the rule's
    step: (x: any, lambda: Arrays, inner: Arrays, outer: Arrays, ...args: any[]) => Arrays,
    x: Values,
    ...args: Values[]
  ): Values;
  /** The loop under {@link Levels.repeat}, for a body that calls the program itself: x ← body(x, inner data). */
  loop(length: number, body: (x: Values, inner: Values) => Values, x: Values): Values;
  /** ‖∇_w L‖ where the follower started and where it ended. */
  measure(first: Values, last: Values): Measured<Value>;
}

/**
 * Reads and checks a point, and prepares its data.
 *
 * @param rule - its name, for messages.
 * @param steps - the rule's `innerSteps`.
 * @throws TypeError when the problem has an `init`.
 */
export function openLevels(
  program: Program,
  rule: string,
  problem: Problem,
  point: Point,
  steps: number,
): Levels {
  if (problem.init) {
    throw new TypeError(
      `${rule}: the problem's init makes the follower's first weights from lambda, and ${rule} does not differentiate through where the follower starts; leave init out and give w, or use a rule that unrolls the inner steps.`,
    );
  }
  const { lambda, batched = false } = point;
  const { w } = point.state as { w: Values };
  checkFloatLeaves("hypergradient", "lambda", lambda);
  checkFloatLeaves("hypergradient", "w", w);
  const prepared = prepareData(
    program,
    problem,
    lambda,
    point.data.inner,
    batched ? steps : undefined,
  );
  const outer = prepareData(program, problem, lambda, point.data.outer).data;
  const lastOf = (data: Values): Values =>
    batched
      ? callTree(program, (d: Arrays) => treeMap((x: np.Array) => x.slice(steps - 1), d), data)
      : data;
  const data = { inner: lastOf(prepared.data), outer };
  checkObjectives(problem, w, lambda, data);
  const raw = { inner: lastOf(point.data.inner), outer: point.data.outer };
  const prepare = problem.prepare ?? ((_lambda: Arrays, data: Arrays) => data);
  const atLeader = (lambda: Arrays, raw: BilevelData<Arrays>): AtLeader => {
    const inner = prepare(lambda, raw.inner) as Arrays;
    const outer = prepare(lambda, raw.outer) as Arrays;
    return {
      inner: (w) => problem.inner(w, lambda, inner),
      outer: (w) => problem.outer(w, lambda, outer),
    };
  };
  const norm = (w: Arrays, lambda: Arrays, data: Arrays): np.Array =>
    treeNorm(gradientOf((w) => problem.inner(w, lambda, data), w));
  const gapOf = (y: Arrays, z: Arrays, lambda: Arrays, data: Arrays): np.Array =>
    problem.inner(y, lambda, data).sub(problem.inner(z, lambda, data));
  const firstBatch = batched
    ? callTree(program, (d: Arrays) => treeMap((x: np.Array) => x.slice(0), d), prepared.data)
    : data.inner;

  const loop: Levels["loop"] = (length, body, x) => {
    const cut = (d: Arrays): Arrays => treeMap((x: np.Array) => x.slice([0, length]), d);
    const batches = !batched
      ? []
      : length === steps
        ? prepared.data
        : callTree(program, cut, prepared.data);
    const [last] = program.scan(
      { length },
      (x: Values, batch: Values) => [body(x, batched ? batch : data.inner), []],
      x,
      batches,
    );
    return last;
  };

  return {
    data,
    outerValue: (w) =>
      program.call(
        (w: Arrays, lambda: Arrays, data: Arrays) => problem.outer(w, lambda, data),
        w,
        lambda,
        outer,
      ),
    leaderGradient: (objective, ...args) => {
      const gradient = (lambda: Arrays, raw: BilevelData<Arrays>, ...args: Arrays[]): Arrays =>
        gradientOf((l) => objective(atLeader(l, raw), ...args), lambda);
      return callTree(program, gradient, lambda, raw as unknown as Values, ...args);
    },
    jointGradient: (objective, w, ...args) => {
      const gradient = (
        w: Arrays,
        lambda: Arrays,
        raw: BilevelData<Arrays>,
        ...args: Arrays[]
      ): Joint<Arrays> =>
        gradientOf((at: Joint<Arrays>) => objective(atLeader(at.lambda, raw), at.w, ...args), {
          lambda,
          w,
        });
      const values = raw as unknown as Values;
      return callTree(program, gradient, w, lambda, values, ...args) as Joint<Values>;
    },
    measureGap: (y, z) => ({
      gap: program.call(gapOf, y, z, lambda, data.inner),
      responseDistance: program.call(treeDistance, y, z),
      valueGradientNorm: program.call(norm, z, lambda, data.inner),
    }),
    repeat: (length, step, x, ...args) =>
      loop(length, (x, inner) => callTree(program, step, x, lambda, inner, outer, ...args), x),
    loop,
    measure: (first, last) => ({
      innerGradientNorm: program.call(norm, last, lambda, data.inner),
      initialInnerGradientNorm: program.call(norm, first, lambda, firstBatch),
    }),
  };
}

/** ∇ of a scalar function at x; a jax-js function. What `fn` closes over is held constant. */
export function gradientOf<T extends Arrays>(fn: (x: T) => np.Array, x: T): T {
  return grad(fn, x);
}

/** x − rate·direction, leaf by leaf; a jax-js function. `rate` gives the rate in a leaf's type. */
export function descend(x: Arrays, direction: Arrays, rate: (dtype: DType) => np.Array): Arrays {
  return treeMap((leaf: np.Array, d: np.Array) => leaf.sub(d.mul(rate(leaf.dtype))), x, direction);
}

/**
 * Refuses a coefficient that cannot work.
 *
 * @throws RangeError when a number is out of range; TypeError when it is neither a number nor a schedule.
 */
export function checkRate(
  where: string,
  rate: unknown,
  range: { above?: number; atLeast?: number; atMost?: number },
): void {
  if (isSchedule(rate)) return;
  if (typeof rate !== "number") {
    throw new TypeError(`${where} must be a number or a schedule; a ${typeof rate} came.`);
  }
  const { above = -Infinity, atLeast = -Infinity, atMost = Infinity } = range;
  if (Number.isFinite(rate) && rate > above && rate >= atLeast && rate <= atMost) return;
  const bounds = [
    ...(above > -Infinity ? [`> ${above}`] : []),
    ...(atLeast > -Infinity ? [`>= ${atLeast}`] : []),
    ...(atMost < Infinity ? [`<= ${atMost}`] : []),
  ];
  throw new RangeError(
    `${where} must be a finite number ${bounds.join(" and ")}, or a schedule; ${rate} came.`,
  );
}

/** The coefficient at outer step k (an int32 scalar) as a scalar of the given type; a jax-js function. */
export function rateAt(rate: Rate, k: np.Array, dtype: DType): np.Array {
  const value = coefficientAt("rate", rate, k, undefined, dtype);
  return typeof value === "number" ? k.astype(dtype).mul(0).add(value) : value;
}
