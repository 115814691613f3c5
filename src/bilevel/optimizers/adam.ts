/** Adam. */
import { checkOptions } from "../../program/internal.ts";
import { numpy as np, tree } from "@jax-js/jax";
import type { Arrays } from "../problem.ts";
import {
  checkCoefficient,
  coefficientAt,
  watch,
  type Coefficient,
  type Optimizer,
} from "./optimizer.ts";

/**
 * m ← β₁m + (1−β₁)∇;  v ← β₂v + (1−β₂)∇²;  w ← w − s·m̂/(√v̂ + ε), with m̂ = m/(1−β₁ᵗ) and v̂ = v/(1−β₂ᵗ).
 *
 * The corrections 1−βᵗ are kept in the state as the same averages of 1, so that they lose no digits in float32
 * and go on counting when the state is a warm start.
 *
 * Differentiated through, √v has no derivative at v = 0, where every gradient so far was 0. There m = 0 as well, and
 * the update's derivative through m alone, 1/ε, is the limit of the whole one; so √ is given derivative 0 at 0. Through T
 * such steps the adjoint grows as (s/ε)ᵀ beyond every number; `overflow.ts` says how 0 times it stays 0.
 *
 * @param options.learningRate - s > 0: a number, a schedule, or a function of λ.
 * @param options.beta1 - default 0.9, in [0, 1).
 * @param options.beta2 - default 0.999, in [0, 1).
 * @param options.epsilon - default 1e-8, > 0. Where a gradient component may be exactly 0, the follower's sensitivity
 *   is 1/ε there: choose it larger (1e-3) when differentiating through.
 * @throws RangeError when a coefficient is out of range.
 * @see Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
 */
export function adam(options: {
  learningRate: Coefficient;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}): Optimizer {
  checkOptions("adam", options, {
    learningRate: "any!",
    beta1: "number",
    beta2: "number",
    epsilon: "number",
  });
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  checkCoefficient("adam: learningRate", learningRate, { above: 0 });
  checkNumber("adam: beta1", beta1, beta1 >= 0 && beta1 < 1, "in [0, 1)");
  checkNumber("adam: beta2", beta2, beta2 >= 0 && beta2 < 1, "in [0, 1)");
  checkNumber("adam: epsilon", epsilon, epsilon > 0 && epsilon < Infinity, "> 0");
  return {
    name: "adam",
    watched: watch(["learningRate", learningRate, { above: 0 }]),
    amplifies: true,
    init: (params) => {
      const zero = tree.map((w: np.Array) => np.zerosLike(w), params) as Arrays;
      const [first] = tree.leaves<np.Array>(params);
      const none = np.zeros([], { dtype: first!.dtype });
      return { first: zero, second: zero, weight1: none, weight2: none };
    },
    update: (gradient, state, params, t, lambda) => {
      const { first, second, weight1, weight2 } = state as unknown as AdamState;
      const next: AdamState = {
        first: tree.map((m: np.Array, g: np.Array) => average(beta1, m, g), first, gradient),
        second: tree.map(
          (v: np.Array, g: np.Array) => average(beta2, v, g.mul(g)),
          second,
          gradient,
        ),
        weight1: average(beta1, weight1, 1),
        weight2: average(beta2, weight2, 1),
      };
      const step = (w: np.Array, m: np.Array, v: np.Array): np.Array => {
        const rate = coefficientAt("adam: learningRate", learningRate, t, lambda, w.dtype);
        const scale = squareRoot(v.div(next.weight2.astype(w.dtype))).add(epsilon);
        return w.sub(m.div(next.weight1.astype(w.dtype)).div(scale).mul(rate));
      };
      return [tree.map(step, params, next.first, next.second), next as unknown as Arrays];
    },
  };
}

interface AdamState {
  first: Arrays;
  second: Arrays;
  /** 1 − β₁ᵗ. */
  weight1: np.Array;
  /** 1 − β₂ᵗ. */
  weight2: np.Array;
}

function average(beta: number, mean: np.Array, value: np.Array | number): np.Array {
  return mean.mul(beta).add(typeof value === "number" ? (1 - beta) * value : value.mul(1 - beta));
}

/** √x with derivative 0 at x = 0: the untaken branch must be finite too, or its zero cotangent becomes NaN. */
function squareRoot(x: np.Array): np.Array {
  const positive = np.greater(x, 0);
  return np.where(positive, np.sqrt(np.where(positive, x, 1)), 0);
}

function checkNumber(where: string, value: number, fits: boolean, range: string): void {
  if (!fits) throw new RangeError(`${where} must be ${range}; ${String(value)} came.`);
}
