/**
 * What every rule with dynamics measures of the follower, and what the report reads of it: how far it is from a solution,
 * and whether the coefficients that are functions of λ stayed in their ranges.
 *
 * An optimizer's follower is judged by ‖∇_w L‖, of w − P(w − ∇_w L) when a projection P constrains it. Dynamics that only
 * promise a fixed point are judged by ‖Φ(w) − w‖, for ∇_w L need not vanish there (a proximal map's does not).
 */
import { numpy as np } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../program/index.ts";
import { callTree, treeMap } from "../../program/internal.ts";
import type { MeasuredNumbers } from "../bounds.ts";
import { innerGradient, type Dynamics, type InnerObjective } from "../dynamics.ts";
import { treeDistance } from "./leaves.ts";
import type { Arrays } from "../problem.ts";
import type { Projection } from "../projections.ts";
import type { Measured, Verdict } from "../rule.ts";
import { treeNorm } from "../../linear/internal.ts";

type Values = Tree<Value>;

/** A follower that made its steps. */
export interface MeasuredFollower {
  readonly dynamics: Dynamics;
  readonly project: ((w: Arrays, lambda: Arrays) => Arrays) | undefined;
  readonly inner: InnerObjective;
  /** Φ, projection included. */
  readonly phi: (state: Arrays, lambda: Arrays, data: Arrays, t: np.Array) => Arrays;
  readonly lambda: Values;
  /** Index of the first step; a value when it goes on from earlier ones. */
  readonly first: Value | 0;
  readonly steps: number;
  /** Where it started and ended, each with the step's prepared inner data. */
  readonly start: { readonly state: Values; readonly data: Values };
  readonly end: { readonly state: Values; readonly data: Values };
}

/** Adds the measurements to the program. */
export function measureFollower(program: Program, follower: MeasuredFollower): Measured<Value> {
  const { inner, project, lambda, start, end } = follower;
  const gradientNorm = (state: Arrays, lambda: Arrays, data: Arrays): np.Array => {
    const { w } = state as { w: Arrays };
    const gradient = innerGradient(inner, w, lambda, data);
    if (!project) return treeNorm(gradient);
    const subtract = (a: Arrays, b: Arrays): Arrays =>
      treeMap((x: np.Array, y: np.Array) => x.sub(y), a, b);
    return treeDistance(w, project(subtract(w, gradient), lambda));
  };
  return {
    innerGradientNorm: program.call(gradientNorm, end.state, lambda, end.data),
    initialInnerGradientNorm: program.call(gradientNorm, start.state, lambda, start.data),
    ...(follower.dynamics.isFixedPoint && measureFixedPoint(program, follower)),
    ...watchCoefficients(program, follower),
  };
}

/** ‖Φ(w) − w‖ at both ends, and what of it is rounding. */
function measureFixedPoint(
  program: Program,
  { phi, lambda, steps, start, end }: MeasuredFollower,
): Record<string, Value> {
  const at = (t: number): Value => program.constant(tensor(t, { dtype: "int32" })) as Value;
  const residual = (state: Arrays, lambda: Arrays, data: Arrays, t: np.Array): np.Array =>
    treeDistance((phi(state, lambda, data, t) as { w: Arrays }).w, (state as { w: Arrays }).w);
  const rounding = (state: Arrays): np.Array => {
    const size = treeNorm((state as { w: Arrays }).w);
    return size.mul(size.dtype === np.float64 ? 2 ** -48 : 2 ** -19);
  };
  return {
    fixedPointResidual: program.call(
      residual,
      end.state,
      lambda,
      end.data,
      at(Math.max(steps - 1, 0)),
    ),
    initialFixedPointResidual: program.call(residual, start.state, lambda, start.data, at(0)),
    fixedPointRounding: program.call(rounding, end.state),
  };
}

/** The least and the greatest value over the steps of each coefficient that is a function of λ, and in how many it is out of range. */
export function watchCoefficients(
  program: Program,
  {
    dynamics,
    project,
    lambda,
    first,
    steps,
  }: Pick<MeasuredFollower, "dynamics" | "project" | "lambda" | "first" | "steps">,
): Record<string, Value> {
  const watched = [
    ...(dynamics.watched ?? []),
    ...((project as Partial<Projection> | undefined)?.watched ?? []),
  ];
  if (watched.length === 0) return {};
  const evaluate = (lambda: Arrays, t: np.Array): np.Array[][] =>
    watched.map(({ at, fits }) => {
      const value = at(lambda, t);
      const outside = np.where(fits(value), np.zerosLike(value), np.onesLike(value));
      return [np.min(value), np.max(value), np.max(outside)];
    });
  const step = (first: np.Array, i: np.Array): np.Array => first.add(i);
  const [, each] = program.scan(
    { length: Math.max(steps, 1) },
    (carry: Values, _: Values, i) => {
      const t = first === 0 ? i : program.call(step, first, i);
      return [carry, callTree(program, evaluate as never, lambda, t)];
    },
    [],
    [],
  ) as unknown as [Values, Value[][]];
  const reduce = (
    least: np.Array,
    greatest: np.Array,
    outside: np.Array,
  ): [np.Array, np.Array, np.Array] => [np.min(least), np.max(greatest), np.sum(outside)];
  return Object.fromEntries(
    watched.flatMap(({ name }, i) => {
      const [least, greatest, outside] = program.call(
        reduce as never,
        ...(each[i] as never[]),
      ) as unknown as Value[];
      return [
        [`${name}Least`, least!],
        [`${name}Greatest`, greatest!],
        [`${name}Outside`, outside!],
      ] as const;
    }),
  );
}

/** Where the follower started and ended, by the number that falls to 0 at a solution. */
export interface Residual {
  readonly start: number;
  readonly end: number;
  /** What of it may be rounding; only where it is ‖Φ(w) − w‖. */
  readonly rounding?: number | undefined;
}

/** ‖Φ(w) − w‖ where the dynamics are judged by it. */
export function residualOf(measured: MeasuredNumbers): Residual | undefined {
  const {
    initialFixedPointResidual: start,
    fixedPointResidual: end,
    fixedPointRounding: rounding,
  } = measured;
  return start === undefined || end === undefined ? undefined : { start, end, rounding };
}

/** A verdict for each coefficient that left its range. */
export function judgeCoefficients(measured: MeasuredNumbers): Verdict[] {
  return leftRange(measured).map((name) => {
    const [least, greatest] = [measured[`${name}Least`]!, measured[`${name}Greatest`]!];
    const values = Object.is(least, greatest)
      ? show(least)
      : `from ${show(least)} to ${show(greatest)}`;
    // No weights are in an empty set: nothing is solved there.
    const status = EMPTY.has(name) ? "max-steps" : undefined;
    return {
      status,
      headline: status,
      sentence: `The follower's ${name}, a function of the hyperparameters, is ${values}, out of its range in ${measured[`${name}Outside`]!} of its steps: it must be ${RANGES[name] ?? "in it"}. Write it as a function that cannot leave the range, such as an exponential, or constrain the hyperparameters.`,
    };
  });
}

/** Whether the gravest of several such measurements of one coefficient is the least. */
export function isLeast(name: string): boolean {
  return name.endsWith("Least");
}

/** What a whole run leaves to say of them. */
export function coefficientWarnings(history: readonly MeasuredNumbers[]): string[] {
  const left = history.filter((measured) => leftRange(measured).length > 0);
  const last = left.at(-1);
  if (last === undefined) return [];
  const { sentence } = judgeCoefficients(last)[0]!;
  return [
    `In ${left.length} of ${history.length} evaluations a coefficient left its range. The last of them: ${sentence}`,
  ];
}

function leftRange(measured: MeasuredNumbers): string[] {
  return Object.entries(measured).flatMap(([key, count]) =>
    key.endsWith("Outside") && count > 0 ? [key.slice(0, -"Outside".length)] : [],
  );
}

/** How the ranges of the library's own coefficients read; see `Watched`. */
const RANGES: Readonly<Record<string, string>> = {
  learningRate: "a finite number > 0",
  momentum: ">= 0 and < 1",
  weightDecay: ">= 0",
  boxWidth: ">= 0, upper - lower",
  simplexTotal: "> 0",
  ballRadius: "> 0",
};

/** Sizes of sets, which are empty where they leave their range. */
const EMPTY: ReadonlySet<string> = new Set(["boxWidth", "simplexTotal", "ballRadius"]);

function show(value: number): string {
  return String(Number(value.toPrecision(4)));
}
