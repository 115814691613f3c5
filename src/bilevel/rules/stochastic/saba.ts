/**
 * Stochastic average bilevel algorithm (SABA): SOBA on finite sums, each of its directions corrected by a table of what
 * every batch last contributed (SAGA), so that constant rates converge.
 *
 *     i, j: the inner and the outer batch;   g_i ∈ {∇_w L_i(z, λ), ∇²_ww L_i(z, λ) v, ∇²_λw L_i(z, λ) v}
 *                                            g_j ∈ {∇_w E_j(z, λ), ∇_λ E_j(z, λ)}
 *     d = g_i − G[i] + mean G,   G[i] ← g_i        for each g; the tables start at 0
 *     z ← z − ρ d(∇_w L),   v ← v − ρ (d(∇²_ww L v) + d(∇_w E)),   h = d(∇_λ E) + d(∇²_λw L v)
 */
import {
  callTree,
  checkOptions,
  countElements,
  treeMap,
  checkCount,
} from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np, type DType } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../../program/index.ts";
import { addTrees } from "../../estimate/leaves.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule } from "../../rule.ts";
import { openLevels, type AtLeader, type Joint } from "../../estimate/levels.ts";
import {
  along,
  firstState,
  move,
  noBoundOnSamples,
  type Pair,
  ratesOf,
  type StochasticOptions,
  type StochasticState,
} from "./stochastic.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm } from "../../../linear/internal.ts";

type Values = Tree<Value>;

/** Options of {@link saba}. */
export interface SabaOptions extends StochasticOptions {
  /**
   * Number of batches n ≥ 1 of each level. With more than one, that level's data are an object with an int32 scalar `batch`,
   * the index 0 … n − 1 of the batch, as `fixedBatches` gives them. Default 1: all the data at once.
   */
  readonly batches?: { readonly inner?: number; readonly outer?: number };
}

/**
 * The leader's direction of SABA.
 *
 * Costs what `soba` costs: one gradient of each objective, one Hessian-vector and one cross product. Memory
 * n·(2|w| + |λ|) for n inner batches and m·(|w| + |λ|) for m outer ones, part of the state: start warm. Assumes a
 * strongly convex inner objective, and that batches are drawn uniformly. An index out of range makes the direction NaN,
 * which ends `solve` as "non-finite".
 *
 * The report measures `auxiliaryResidual`, the norm of v's corrected direction; its inner gradient norm is that of z's.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`, or data lack `batch`.
 * @see Dagréou et al., "A framework for bilevel optimization that enables stochastic and global variance reduction
 *   algorithms", NeurIPS 2022.
 * @example
 * const inner = fixedBatches({ data: train, size: 64 });
 * const outer = fixedBatches({ data: valid, size: 64 });
 * const rule = saba({ learningRate: 0.1, batches: { inner: inner.count, outer: outer.count } });
 */
export function saba(options: SabaOptions = {}): Rule {
  checkOptions("saba", options, {
    batches: "object",
    learningRate: "any",
    auxiliaryLearningRate: "any",
    tolerance: TOLERANCE,
  });
  const rates = ratesOf("saba", options);
  const { inner: n = 1, outer: m = 1 } = options.batches ?? {};
  checkCount("saba: batches.inner", n);
  checkCount("saba: batches.outer", m);
  return {
    name: "saba",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(batches·(|w| + |λ|))",
      bias: "it is the leader's part of a joint step, exact only where the gradient norm and the auxiliary residual are 0",
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: (w, lambda) => ({
      ...firstState(w),
      inner: emptyTables({ lambda, w: { z: w, v: w } }, n),
      outer: emptyTables({ lambda, w }, m),
    }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "saba", problem, point, 1);
      const { w: z, v, k, ...tables } = point.state as State;
      const { data } = point;
      const inner = correct(
        program,
        levels.jointGradient((at: AtLeader, p: Pair<Arrays>) => along(at, p.z, p.v), {
          z,
          v,
        } as Values),
        tables.inner,
        indexOf(program, "inner", data.inner, n),
      );
      const outer = correct(
        program,
        levels.jointGradient((at: AtLeader, z: Arrays) => at.outer(z), z),
        tables.outer,
        indexOf(program, "outer", data.outer, m),
      );
      const ofInner = inner.direction as Joint<Values> & { readonly w: Pair<Values> };
      const ofOuter = outer.direction as Joint<Values>;
      const response = ofInner.w.v;
      const auxiliary = callTree(program, addTrees, ofInner.w.z, ofOuter.w);
      const norm = program.call(treeNorm, response);
      return {
        value: levels.outerValue(z),
        gradient: callTree(program, addTrees, ofInner.lambda, ofOuter.lambda),
        w: z,
        state: {
          w: move(program, rates.z, z, response, k),
          v: move(program, rates.v, v, auxiliary, k),
          k: nextStep(program, k),
          inner: inner.tables,
          outer: outer.tables,
        } as unknown as Values,
        report: {
          innerGradientNorm: norm,
          initialInnerGradientNorm: norm,
          auxiliaryResidual: program.call(treeNorm, auxiliary),
        },
        cost: {
          innerGradients: 1,
          outerGradients: 1,
          hessianVectorProducts: 1,
          crossProducts: 1,
          storedFloats: countElements(v) * (1 + 2 * n + m) + countElements(point.lambda) * (n + m),
          reportGradients: 0,
        },
      };
    },
  };
}

/** G, leaves [batches, ...], and its mean over the batches. */
type Tables<T> = { readonly entries: T; readonly mean: T };
type State = StochasticState & { readonly inner: Tables<Values>; readonly outer: Tables<Values> };

/** Tables of zeros for trees like `like`; a jax-js function. */
function emptyTables(like: Arrays, batches: number): Tables<Arrays> {
  return {
    entries: treeMap(
      (x: np.Array) => np.zeros([batches, ...x.shape], { dtype: x.dtype as DType }),
      like,
    ),
    mean: treeMap((x: np.Array) => np.zerosLike(x), like),
  };
}

/** d = g − G[i] + mean G, and the tables with G[i] = g. */
function correct(
  program: Program,
  fresh: Values,
  { entries, mean }: Tables<Values>,
  index: Value,
): { direction: Values; tables: Tables<Values> } {
  const step = (fresh: Arrays, entries: Arrays, mean: Arrays, index: np.Array): Arrays => {
    const isEntry = (rows: np.Array): np.Array => {
      const [n, ...shape] = rows.shape;
      return np.equal(np.arange(n!), index).reshape([n!, ...shape.map(() => 1)]);
    };
    const change = (g: np.Array, rows: np.Array): np.Array => {
      const is = isEntry(rows).astype(rows.dtype);
      // 1, or 0/0 = NaN when no row has this index.
      const found = np.sum(is).div(np.sum(is));
      return g.sub(np.sum(rows.mul(is), 0)).mul(found);
    };
    const changes = treeMap(change, fresh, entries);
    return {
      direction: addTrees(changes, mean),
      tables: {
        entries: treeMap(
          (g: np.Array, rows: np.Array) => np.where(isEntry(rows), g, rows),
          fresh,
          entries,
        ),
        mean: treeMap(
          (mean: np.Array, change: np.Array, rows: np.Array) =>
            mean.add(change.div(rows.shape[0]!)),
          mean,
          changes,
          entries,
        ),
      },
    };
  };
  const result = callTree(program, step, fresh, entries, mean, index);
  return result as unknown as { direction: Values; tables: Tables<Values> };
}

/** The index of the batch in one level's raw data; 0 when there is only one. */
function indexOf(program: Program, level: string, data: Values, batches: number): Value {
  if (batches === 1) return program.constant(tensor(0, { dtype: "int32" }));
  const index = (data as { batch?: Value } | undefined)?.batch;
  const size = index?.shape?.reduce((all, length) => all * length, 1);
  if (index === undefined || size !== 1 || index.dtype !== "int32") {
    throw new TypeError(
      `saba: with ${batches} ${level} batches the ${level} data must have an int32 scalar "batch", the batch's index, and have ${index === undefined ? "none" : `${index.dtype}[${index.shape.join(", ")}]`}; take them from fixedBatches.`,
    );
  }
  return program.call((index: np.Array) => index.reshape([]), index);
}
