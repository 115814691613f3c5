/**
 * How the minimizers of the T-step problem approach those of the exact one.
 *
 *     F_T(λ) = E(w_T(λ), λ),  w_T by T steps of gradient descent;   F(λ) = E(w*(λ), λ)
 *
 * With step s and α the smallest eigenvalue of ∇²_ww L at the solution, w_T − w* falls like q^T, q = 1 − sα, and the
 * gradient of F_T − F like T·q^T, for λ moves α too.
 */
import {
  disposePrograms,
  gradientDescent,
  hypergradient,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { implicit, reverse } from "../../src/bilevel/rules/index.ts";
import { dense } from "../../src/linear/index.ts";
import { compile, tensor, type Tensor } from "../../src/program/index.ts";
import { grad, type numpy as np } from "@jax-js/jax";
import {
  hessianAt,
  largestEigenvalue,
  minimize,
  norm,
  smallestEigenvalue,
  type Evaluation,
  type Minimum,
} from "./minimize.ts";
import type { ConvergenceCase } from "./cases.ts";

/** The errors for one number of steps. */
export interface ConvergenceRow {
  readonly steps: number;
  /** ‖λ_T − λ*‖ */
  readonly minimizer: number;
  /** |F_T(λ_T) − F(λ*)| */
  readonly value: number;
  /** F(λ_T) − F(λ*): what is lost by having tuned with T steps. */
  readonly regret: number;
  /** ‖∇F_T − ∇F‖ at the start. */
  readonly gradient: number;
  /** What is left of the search itself, to first order. */
  readonly distanceLeft: number;
}

/** Curvature of the inner objective at a point and the rate it predicts. */
export interface Rate {
  readonly smallest: number;
  readonly largest: number;
  /** log(1 − sα) */
  readonly predicted: number;
}

export interface Convergence {
  readonly exact: Minimum;
  readonly rows: readonly ConvergenceRow[];
  readonly atStart: Rate;
  readonly atMinimizer: Rate;
}

/** Finds λ* and every λ_T of a case and compares them. */
export async function studyConvergence(c: ConvergenceCase): Promise<Convergence> {
  const dynamics = gradientDescent({ learningRate: c.learningRate });
  const start = [...c.lambda.data];
  const exactRule = implicit({ steps: c.exactSteps, dynamics, solver: dense() });
  const exactAt = evaluator(c, exactRule);
  const exact = await minimize(exactAt, start);
  const gradientAtStart = (await exactAt(start)).gradient;
  const rows: ConvergenceRow[] = [];
  // Large T first: each search starts where the one before ended, near its own minimizer.
  let near = exact.x;
  for (const steps of c.steps.toReversed()) {
    const rule = reverse({ steps, dynamics });
    const at = evaluator(c, rule);
    const minimum = await minimize(at, near);
    near = minimum.x;
    const { gradient } = await at(start);
    rows.unshift({
      steps,
      minimizer: distance(minimum.x, exact.x),
      value: Math.abs(minimum.value - exact.value),
      regret: (await exactAt(minimum.x)).value - exact.value,
      gradient: distance(gradient, gradientAtStart),
      distanceLeft: minimum.distanceLeft,
    });
    await disposePrograms(c.problem, rule);
  }
  const rates = [await rateAt(c, exactRule, start), await rateAt(c, exactRule, exact.x)] as const;
  await disposePrograms(c.problem);
  return { exact, rows, atStart: rates[0], atMinimizer: rates[1] };
}

/** Errors of which a slope is fitted. */
export type ErrorName = "minimizer" | "value" | "regret" | "gradient";

/** Below these an error is rounding and no longer the method's. */
const floors: Readonly<Record<ErrorName, number>> = {
  minimizer: 1e-12,
  value: 1e-13,
  regret: 1e-13,
  gradient: 1e-12,
};

/**
 * The slope of log(error / T^power) over T, by least squares over the rows from T = `from` on whose error is above
 * rounding; undefined with fewer than two of them.
 */
export function fittedSlope(
  rows: readonly ConvergenceRow[],
  error: ErrorName,
  { from, power }: { from: number; power: number },
): number | undefined {
  const points = rows
    .filter((row) => row.steps >= from && row[error] > floors[error])
    .map((row) => [row.steps, Math.log(row[error]) - power * Math.log(row.steps)] as const);
  if (points.length < 2) return undefined;
  const mean = (i: 0 | 1): number => points.reduce((sum, p) => sum + p[i], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

function evaluator(c: ConvergenceCase, rule: Rule): (x: number[]) => Promise<Evaluation> {
  return async (x) => {
    const lambda = like(c.lambda, x);
    const found = await hypergradient(c.problem, { rule, lambda, w: c.w, data: c.data });
    return { value: found.value.item(), gradient: [...(found.gradient as Tensor).data] };
  };
}

/** The inner curvature at w*(λ), from central differences of ∇_w L. */
async function rateAt(c: ConvergenceCase, rule: Rule, x: number[]): Promise<Rate> {
  const lambda = like(c.lambda, x);
  const found = await hypergradient(c.problem, { rule, lambda, w: c.w, data: c.data });
  const { inner, prepare } = c.problem as Problem<np.Array, np.Array, unknown>;
  const gradient = compile((w: np.Array, l: np.Array, data: unknown) => {
    const prepared = prepare ? prepare(l, data as never) : data;
    return grad((w: np.Array) => inner(w, l, prepared as never))(w);
  });
  const response = found.w as Tensor;
  const hessian = await hessianAt(
    async (v) => ({
      gradient: [...(await gradient(like(response, v), lambda, c.data.inner)).data],
    }),
    [...response.data],
  );
  await gradient.dispose();
  const smallest = smallestEigenvalue(hessian);
  return {
    smallest,
    largest: largestEigenvalue(hessian),
    predicted: Math.log(1 - c.learningRate * smallest),
  };
}

function like(array: Tensor, values: readonly number[]): Tensor {
  return tensor(Float64Array.from(values), { shape: [...array.shape] });
}

function distance(a: readonly number[], b: readonly number[]): number {
  return norm(a.map((v, i) => v - b[i]!));
}
