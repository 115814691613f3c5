/** Fixed-point iteration for systems (I − M)·q = b with a contraction M. */
import { checkOptions } from "../program/internal.ts";
import { tensor } from "../program/index.ts";
import { sumSeries } from "./series.ts";
import { checkStopping, typeOf, type LinearSolver, type Stopping } from "./system.ts";

/** Options of {@link fixedPoint}. */
export interface FixedPointOptions extends Partial<Stopping> {
  /** K, iterations at most; default 100. */
  readonly maxSteps?: number;
}

/**
 * q ← M·q + b from q = 0, where A = I − M and M contracts: after K iterations Σ_{i<K} Mⁱ b.
 *
 * A need not be symmetric. The residual falls as ‖Mᴷ‖, asymptotically as the spectral radius to the K; it may rise before.
 * A thousandfold rise ends as `diverged`. For the dynamics of gradient descent with rate s the iterates are those of
 * Neumann's series with η = s.
 *
 * Costs K products and the memory of two vectors.
 *
 * @throws RangeError when an option is out of range.
 * @see Grazzi et al., "On the iteration complexity of hypergradient computation", ICML 2020.
 */
export function fixedPoint(options: FixedPointOptions = {}): LinearSolver {
  checkOptions("fixedPoint", options, { maxSteps: "number", rtol: "number", atol: "number" });
  const { maxSteps = 100 } = options;
  checkStopping("fixedPoint", { ...options, maxSteps });
  return {
    name: "fixed-point",
    needs: { symmetric: false, positiveDefinite: false, contraction: true, memory: "O(n)" },
    cost: (size, hasStart) => ({
      products: maxSteps + (hasStart ? 1 : 0),
      reportProducts: 1,
      storedFloats: 2 * size,
    }),
    solve: (program, system) => {
      const one = program.constant(tensor(1, { dtype: typeOf("fixedPoint", system) }));
      const stopping = { ...options, maxSteps, isSymmetric: false };
      return sumSeries(program, "fixedPoint", system, one, stopping);
    },
  };
}
