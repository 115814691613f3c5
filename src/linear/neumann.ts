/** Neumann's series for symmetric positive definite systems, with a step that is known to be safe. */
import { callTree, checkOptions, checkCount } from "../program/internal.ts";
import { numpy as np } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../program/index.ts";
import { sumSeries } from "./series.ts";
import {
  checkAtLeastZero,
  checkStopping,
  damped,
  typeOf,
  type LinearSolver,
  type LinearSystem,
  type Stopping,
} from "./system.ts";
import { norm, scaled, unevenVector, type Vector } from "./vectors.ts";

/** Options of {@link neumann}. */
export interface NeumannOptions extends Partial<Stopping> {
  /** J, terms at most; default 100. */
  readonly maxSteps?: number;
  /** η; must be below 2/λ_max. Default: 1 / (1.1·the λ_max that power iteration finds). */
  readonly step?: number;
  /** Products spent on λ_max when no step is given; default 10. */
  readonly powerSteps?: number;
  /** δ ≥ 0 added to A's diagonal; it changes the system that is solved. Default 0, off. */
  readonly damping?: number;
}

/**
 * Neumann's series, J terms of A⁻¹b = η Σ (I − ηA)ⁱ b.
 *
 *     p = b, q = 0;   q ← q + η·p;  p ← p − ηA·p      (p = b − A·q at every step)
 *
 * The residual falls as (1 − ηλ_min)^J when η < 2/λ_max; a larger η ends as `diverged`, a residual without positive
 * curvature as `singular` or `negative-curvature`. Through J steps of gradient descent with rate η, truncated reverse
 * mode at the solution computes the same sum.
 *
 * Costs J products, 10 more for the step unless it is given, and the memory of two vectors.
 *
 * @throws RangeError when an option is out of range.
 * @see Lorraine, Vicol, Duvenaud, "Optimizing millions of hyperparameters by implicit differentiation", AISTATS 2020.
 */
export function neumann(options: NeumannOptions = {}): LinearSolver {
  checkOptions("neumann", options, {
    maxSteps: "number",
    step: "number",
    powerSteps: "number",
    damping: "number",
    rtol: "number",
    atol: "number",
  });
  const { maxSteps = 100, step, powerSteps = 10, damping = 0 } = options;
  checkStopping("neumann", { ...options, maxSteps });
  checkCount("neumann: powerSteps", powerSteps);
  checkAtLeastZero("neumann: damping", damping);
  if (step !== undefined && !(Number.isFinite(step) && step > 0)) {
    throw new RangeError(`neumann: step must be a number > 0; ${String(step)} came.`);
  }
  return {
    name: "neumann",
    needs: { symmetric: true, positiveDefinite: true, contraction: false, memory: "O(n)" },
    damping,
    cost: (size, hasStart) => ({
      products: maxSteps + (step === undefined ? powerSteps : 0) + (hasStart ? 1 : 0),
      reportProducts: 1,
      storedFloats: 2 * size,
    }),
    solve: (program, system) => {
      const shifted = damped(program, system, damping);
      const dtype = typeOf("neumann", system);
      const eta =
        step === undefined
          ? program.call(
              // A = 0 has no step; the first term then says so.
              (l: np.Array) => np.where(np.equal(l, 0), 0, np.reciprocal(l.mul(1.1))),
              largestEigenvalue(program, shifted, powerSteps),
            )
          : program.constant(tensor(step, { dtype }));
      return sumSeries(program, "neumann", shifted, eta, {
        ...options,
        maxSteps,
        isSymmetric: true,
      });
    },
  };
}

/** ‖A·x‖ after power iterations from a fixed vector: λ_max from below. */
function largestEigenvalue(program: Program, system: LinearSystem, steps: number): Value {
  const zero = program.constant(tensor(0, { dtype: typeOf("neumann", system) }));
  const unit = (x: Vector): Vector => {
    const size = norm(x);
    return scaled(x, np.where(np.equal(size, 0), 0, np.reciprocal(size)));
  };
  const start = callTree(program, (rhs: Vector) => unit(unevenVector(rhs)), system.rhs);
  const [[, largest]] = program.scan(
    { length: steps },
    ([x]: Pair) => {
      const image = system.product(x);
      const next: Pair = [callTree(program, unit, image), program.call(norm, image)];
      return [next, []];
    },
    [start, zero] as Pair,
  );
  return largest;
}

type Pair = [vector: Tree<Value>, size: Value];
