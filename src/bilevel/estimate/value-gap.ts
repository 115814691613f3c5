/**
 * The steps that value-function methods share. The value of the inner problem, ψ(λ) = min_z L(z, λ), replaces its
 * solution set: a response y is feasible when its gap L(y, λ) − ψ(λ) is 0, and the gap is a penalty. By Danskin's
 * theorem ∇ψ(λ) = ∇_λ L(z, λ) at the minimizer z, so that no second derivative appears.
 */
import { tree, type numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../../program/index.ts";
import type { Arrays, Problem } from "../problem.ts";
import { descend, gradientOf, rateAt, type AtLeader, type Levels, type Rate } from "./levels.ts";
import { treeNorm } from "../../linear/internal.ts";

type Values = Tree<Value>;

/** z ← z − s·∇_w L(z, λ), `steps` times from `z`, with the rate s at outer step k. */
export function descendValue(
  levels: Levels,
  problem: Problem,
  options: { readonly steps: number; readonly learningRate: Rate },
  z: Values,
  k: Value,
): Values {
  const step = (z: Arrays, lambda: Arrays, inner: Arrays, _outer: Arrays, k: np.Array): Arrays =>
    descend(
      z,
      gradientOf((z) => problem.inner(z, lambda, inner), z),
      (dtype) => rateAt(options.learningRate, k, dtype),
    );
  return levels.repeat(options.steps, step, z, k);
}

/**
 * y ← y − s·∇_w (E + γ·L)(y, λ), `steps` times from `y`.
 *
 * @param options.isScaled - whether s is divided by 1 + γ, which bounds the curvature of E + γ·L for any γ.
 * @param penalty - γ, a scalar.
 */
export function descendPenalized(
  levels: Levels,
  problem: Problem,
  options: { readonly steps: number; readonly learningRate: Rate; readonly isScaled: boolean },
  y: Values,
  penalty: Value,
  k: Value,
): Values {
  const step = (
    y: Arrays,
    lambda: Arrays,
    inner: Arrays,
    outer: Arrays,
    penalty: np.Array,
    k: np.Array,
  ): Arrays => {
    const penalized = (y: Arrays): np.Array =>
      problem.outer(y, lambda, outer).add(problem.inner(y, lambda, inner).mul(penalty));
    return descend(y, gradientOf(penalized, y), (dtype) => {
      const rate = rateAt(options.learningRate, k, dtype);
      return options.isScaled ? rate.div(penalty.astype(dtype).add(1)) : rate;
    });
  };
  return levels.repeat(options.steps, step, y, penalty, k);
}

/** ∇_λ [E(y, λ) + γ(L(y, λ) − L(z, λ))] at fixed y and z, and the norm of ∇_w [E + γL](y, λ), which y should make 0. */
export function penaltyGradient(
  program: Program,
  levels: Levels,
  y: Values,
  z: Values,
  penalty: Value,
): { gradient: Values; measured: { readonly penalizedGradientNorm: Value } } {
  const objective = (at: AtLeader, y: Arrays, z: Arrays, penalty: np.Array): np.Array =>
    at.outer(y).add(at.inner(y).sub(at.inner(z)).mul(penalty));
  const { lambda, w } = levels.jointGradient(objective, y, z, penalty);
  return { gradient: lambda, measured: { penalizedGradientNorm: program.call(treeNorm, w) } };
}

/** A rate at outer step k as a scalar of the type of the weights. */
export function rateValue(program: Program, rate: Rate, k: Value, w: Values): Value {
  const like = tree.leaves<Value>(w)[0]!;
  return program.call((k: np.Array, like: np.Array) => rateAt(rate, k, like.dtype), k, like);
}

/** k + 1. */
export function nextStep(program: Program, k: Value): Value {
  return program.call((k: np.Array) => k.add(1), k);
}
