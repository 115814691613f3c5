/**
 * Constrained leaders: the augmented Lagrangian turns constraints that no projection knows, such as a budget of the
 * follower's weights, into a sequence of unconstrained problems, each solved by `solve` from where the last one ended.
 *
 *     λ, w ← solve E(w(λ), λ) + (1/2ρ) Σ (max(0, μ + ρp)² − μ²) + νᵀq + (ρ/2)‖q‖²
 *     μ ← max(0, μ + ρ p(w, λ)),   ν ← ν + ρ q(w, λ)
 */
import {
  checkArgument,
  checkOptions as checkNamedOptions,
  required,
} from "../../program/internal.ts";
import { DATA, OPTIMIZER, OUTER_LOOP, RULE } from "../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import { compile, type Tensor } from "../../program/index.ts";
import {
  augmentation,
  checkConstraints,
  checkPositive,
  constraintVectors,
  type Constraints,
  type ConstraintVectors,
} from "../estimate/constraints.ts";
import {
  augmentationOf,
  changes,
  mapNumbers,
  numbersOf,
  update,
  violationOf,
  type Numbers,
} from "./constraint-numbers.ts";
import type { Arrays, Problem } from "../problem.ts";
import type { Cost, Status } from "../rule.ts";
import { solve } from "./solve.ts";
import type { SolveOptions, SolveResult } from "./options.ts";

/**
 * Options of {@link augmentedLagrangian}: those of each `solve`, whose `budget` is that of one solve, whose `constraints`
 * is a projection besides, and whose `tolerance` is 1e-6 by default, for a solve should end by itself; and the constraints,
 * at least one of `inequalities` and `equalities`.
 */
export interface AugmentedLagrangianOptions
  extends Omit<SolveOptions, "keepBest" | "checkpoint" | "resume">, Constraints {
  /** ρ > 0. The larger, the fewer updates, and the smaller the outer learning rate that converges. Default 10. */
  readonly penalty?: number;
  /**
   * What ρ is multiplied by when an update leaves more than a quarter of the violation, ≥ 1. Default 1: a leader of a fixed
   * learning rate diverges when ρ grows; 10 is usual with optimizers that adapt to the gradient's size.
   */
  readonly growth?: number;
  /** Solves at most, each with an update after it. Default 30. */
  readonly updates?: number;
  /** Largest violation, and largest change of a multiplier divided by ρ, of a solved problem. Default 1e-6. */
  readonly constraintTolerance?: number;
}

/** One solve and the update after it. */
export interface MultiplierUpdate {
  /** E without the constraints' terms. */
  readonly value: number;
  /** The largest of max(0, p) and |q|. */
  readonly violation: number;
  /** ρ of the solve. */
  readonly penalty: number;
  /** How the solve ended, and after how many steps. */
  readonly status: Status;
  readonly steps: number;
}

/** What {@link augmentedLagrangian} found; λ, w, history and warnings are those of the last solve. */
export interface ConstrainedResult<L, W> extends Omit<SolveResult<L, W>, "status" | "best"> {
  /** As in `solve`, or "infeasible": no feasible point was found, see the sentence. */
  readonly status: Status | "infeasible";
  /** E without the constraints' terms. */
  readonly value: number;
  /** The largest of max(0, p) and |q|; like `value` NaN when the last solve had no finite step. */
  readonly violation: number;
  /** μ and ν as vectors, empty where there is no such constraint; the optimal value has the derivative −μ by b in p ≤ b. */
  readonly multipliers: {
    readonly inequalities: readonly number[];
    readonly equalities: readonly number[];
  };
  /** One record for each solve. */
  readonly updates: readonly MultiplierUpdate[];
}

/**
 * Minimises F(λ) = E(w(λ), λ) subject to p(w(λ), λ) ≤ 0 and q(w(λ), λ) = 0 over λ, to a local optimum.
 *
 * The constraints' dependence on the follower's response is differentiated by the rule, as that of E is. Near an optimum with
 * independent constraints and a positive curvature along them, each update divides the violation by a factor that grows
 * with ρ. How it ends is data:
 *
 * - "converged": the last solve converged, and neither violation nor multipliers exceed `constraintTolerance`.
 * - "max-steps": not within `updates` solves.
 * - "infeasible": the violation stopped falling over 5 updates, and a solve of the violation alone does not end it either.
 *   Where the constraints are not convex, that is a local verdict.
 * - "diverged", "non-finite", "cancelled": those of a solve, which ends the sequence.
 *
 * @throws TypeError, RangeError on misuse.
 * @see Bertsekas, "Constrained optimization and Lagrange multiplier methods", 1982, chapters 2 and 3.
 * @example
 * const { lambda, multipliers } = await augmentedLagrangian(problem, {
 *   rule, optimizer: adam({ learningRate: 0.05 }), lambda, w, data,
 *   inequalities: (_w, lambda) => np.sum(np.exp(lambda)).sub(budget),
 * });
 */
export async function augmentedLagrangian<L, W, D, O>(
  problem: Problem<L, W, D, O>,
  options: AugmentedLagrangianOptions,
): Promise<ConstrainedResult<L, W>> {
  checkArgument("augmentedLagrangian", "problem", problem, "object");
  checkNamedOptions("augmentedLagrangian", options, {
    ...OUTER_LOOP,
    penalty: "number",
    growth: "number",
    updates: "number",
    constraintTolerance: "number",
    rule: required(RULE),
    optimizer: required(OPTIMIZER),
    lambda: "any!",
    w: "any",
    data: required(DATA),
    start: "string",
    inequalities: "function",
    equalities: "function",
  });
  const { inequalities, equalities, penalty = 10, growth = 1, updates = 30, ...rest } = options;
  const { constraintTolerance = 1e-6, ...solveOptions } = rest;
  const constraints: Constraints = { inequalities, equalities };
  checkOptions(constraints, { penalty, growth, updates, constraintTolerance });
  const evaluate = compile((w: Arrays, lambda: Arrays) =>
    constraintVectors(constraints, w, lambda),
  );
  const records: MultiplierUpdate[] = [];
  const spent = new Spent();
  let point: Pick<SolveOptions, "lambda" | "w"> = { lambda: options.lambda, w: options.w };
  let multipliers: Numbers | undefined;
  let rho = penalty;
  let checkedAt = 0;

  const solveWith = async (wrapped: Problem): Promise<[SolveResult<L, W>, Numbers | undefined]> => {
    const { lambda, w } = point;
    const start = w === undefined ? { lambda } : { lambda, w };
    const result = await solve(wrapped as Problem<L, W, D, O>, {
      tolerance: 1e-6,
      ...solveOptions,
      ...start,
    });
    spent.add(result);
    // No step was finite, or none was made: there is no response to look at.
    if (!Number.isFinite(result.value)) return [result, undefined];
    const at = await evaluate(result.w as Tensor, result.lambda as Tensor);
    return [result, numbersOf(at as unknown as ConstraintVectors<Tensor>)];
  };

  try {
    for (;;) {
      const [result, values] = await solveWith(
        augmented(problem as Problem, constraints, multipliers, rho),
      );
      const used: Numbers = multipliers ?? mapNumbers(() => 0, values ?? NONE);
      const violation = values ? violationOf(values) : Number.NaN;
      const updated = values ? update(values, used, rho) : used;
      const shift = Math.max(...changes(updated, used)) / rho;
      const { status } = result;
      const value = values ? result.value - augmentationOf(values, used, rho) : Number.NaN;
      const steps = Math.max(0, result.history.length - 1);
      records.push({ value, violation, penalty: rho, status, steps });
      const end = (status: ConstrainedResult<L, W>["status"], sentence: string) => {
        const { best: _best, ...last } = result;
        const found = { status, sentence, value, violation, multipliers: updated };
        return { ...last, ...found, ...spent.total, updates: records };
      };
      if (status !== "converged" && status !== "max-steps") {
        return end(status, `Solve ${records.length} of the sequence ended it: ${result.sentence}`);
      }
      const left = `the violation is ${show(violation)}, the outer objective ${show(value)}`;
      if (status === "converged" && shift <= constraintTolerance) {
        return end("converged", `Converged after ${records.length} solves: ${left}.`);
      }
      const stuck = records.at(-1 - PATIENCE)?.violation ?? Infinity;
      const isStuck = violation > constraintTolerance && violation > 0.99 * stuck;
      if (isStuck && records.length - checkedAt > PATIENCE) {
        checkedAt = records.length;
        const { lambda, w } = result as unknown as typeof point;
        point = { lambda, w: problem.init ? undefined : w };
        const [alone, reached] = await solveWith(
          violationAlone(problem as Problem, constraints, rho),
        );
        const least = reached ? violationOf(reached) : Number.NaN;
        // ‖∇½(‖max(0, p)‖² + ‖q‖²)‖: where it is not small, the solve only ran out of steps.
        const slope = (alone.history.at(-1)?.projectedGradientNorm ?? Number.NaN) / rho;
        const isLeast = alone.status === "converged" && slope <= 1e-3 * least;
        if (isLeast && least > constraintTolerance && least > 0.9 * violation) {
          return end(
            "infeasible",
            `No feasible point was found: over ${PATIENCE} updates the violation stayed at ${show(violation)}, and minimising it alone from there leaves ${show(least)}. The constraints contradict each other, at least near this point; relax them, or start elsewhere.`,
          );
        }
      }
      if (records.length === updates) {
        return end(
          "max-steps",
          `Not converged after ${updates} solves: ${left}, and the last change of a multiplier ${show(shift * rho)}. Raise updates or the penalty, or the budget of a solve (the last ended as ${status}).`,
        );
      }
      if (growth > 1 && violation > (records.at(-2)?.violation ?? Infinity) / 4) rho *= growth;
      multipliers = updated;
      const { lambda, w } = result as unknown as typeof point;
      point = { lambda, w: problem.init ? undefined : w };
    }
  } finally {
    await evaluate.dispose();
  }
}

/** Updates without progress after which feasibility is looked at. */
const PATIENCE = 5;

const NONE: Numbers = { inequalities: [], equalities: [] };

/** The problem with the constraints' terms in its outer objective. */
function augmented(
  problem: Problem,
  constraints: Constraints,
  multipliers: Numbers | undefined,
  penalty: number,
): Problem {
  const terms = augmentationTerms(constraints, multipliers, penalty);
  const outer = (w: Arrays, lambda: Arrays, data: Arrays): np.Array =>
    problem.outer(w, lambda, data).add(terms(w, lambda));
  return { ...problem, outer };
}

/** (ρ/2)(‖max(0, p)‖² + ‖q‖²) as the outer objective. */
function violationAlone(problem: Problem, constraints: Constraints, penalty: number): Problem {
  const terms = augmentationTerms(constraints, undefined, penalty);
  return { ...problem, outer: (w: Arrays, lambda: Arrays) => terms(w, lambda) };
}

/** The multipliers are constants of the program, which each solve compiles anew; undefined is 0. */
function augmentationTerms(
  constraints: Constraints,
  multipliers: Numbers | undefined,
  penalty: number,
): (w: Arrays, lambda: Arrays) => np.Array {
  return (w, lambda) => {
    const values = constraintVectors(constraints, w, lambda);
    const constant = (given: readonly number[] | undefined, [like]: np.Array[]): np.Array[] => {
      if (like === undefined) return [];
      return [given ? constantVector(given, like.dtype) : np.zerosLike(like)];
    };
    const at = {
      inequalities: constant(multipliers?.inequalities, values.inequalities),
      equalities: constant(multipliers?.equalities, values.equalities),
    };
    return augmentation(values, at, penalty);
  };
}

/**
 * Numbers as an array of any type. On Node 20 jax-js makes float64 arrays of more than one element only from others (it
 * asks for Float16Array first), hence two float32 parts, which keep 48 bits.
 */
function constantVector(values: readonly number[], dtype: np.DType): np.Array {
  const high = Float32Array.from(values);
  const low = Float32Array.from(values, (v, i) => v - high[i]!);
  return np.array(high).astype(dtype).add(np.array(low).astype(dtype));
}

/** What all solves cost together. */
class Spent {
  #cost: Cost | undefined;
  #seconds = 0;

  add({ cost, seconds }: { cost: Cost; seconds: number }): void {
    const before: Partial<Record<string, number>> = { ...this.#cost };
    const sums = Object.entries(cost).map(([name, count]: [string, number]) => {
      const old = before[name] ?? 0;
      return [name, name === "storedFloats" ? Math.max(old, count) : old + count];
    });
    this.#cost = Object.fromEntries(sums) as unknown as Cost;
    this.#seconds += seconds;
  }

  get total(): { cost: Cost; seconds: number } {
    return { cost: this.#cost!, seconds: this.#seconds };
  }
}

function checkOptions(
  constraints: Constraints,
  numbers: { penalty: number; growth: number; updates: number; constraintTolerance: number },
): void {
  const { penalty, growth, updates, constraintTolerance } = numbers;
  checkConstraints("augmentedLagrangian", constraints);
  checkPositive("augmentedLagrangian: penalty", penalty);
  checkPositive("augmentedLagrangian: constraintTolerance", constraintTolerance);
  if (!(growth >= 1 && growth < Infinity)) {
    throw new RangeError(`augmentedLagrangian: growth must be a number >= 1; ${growth} came.`);
  }
  if (!Number.isSafeInteger(updates) || updates < 1) {
    throw new RangeError(
      `augmentedLagrangian: updates must be a whole number >= 1; ${updates} came.`,
    );
  }
}

function show(value: number): string {
  return String(Number(value.toPrecision(6)));
}
