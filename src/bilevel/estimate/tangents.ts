/**
 * Derivatives carried forward through the follower: Z_t = dw_t/dλ, one tangent of the state for each single
 * hyperparameter, all pushed through a step at once. The counterpart of the follower's backward scan; nothing is
 * stored along the way.
 */
import { numpy as np, tree, vmap } from "@jax-js/jax";
import { jvp, type Program, type Tree, type Value } from "../../program/index.ts";
import { callTree, countElements, selectFloats, treeMap } from "../../program/internal.ts";
import type { Adjoint, Follower, Steps } from "./follower.ts";
import type { Arrays, Problem } from "../problem.ts";
import type { Point } from "../rule.ts";

type Values = Tree<Value>;

/** The follower of one problem at one point, differentiated forward. */
export interface Tangents {
  /** Z_0 = ∂Φ_0/∂λ: zeros, unless the first weights depend on λ. */
  readonly start: Value[];
  /** Makes the steps: the state after them, and Z_t = (∂Φ_t/∂w) Z_{t−1} + ∂Φ_t/∂λ after them. */
  forward(state: Values, tangents: Value[], steps: Steps): [last: Values, tangents: Value[]];
  /** dF/dλ = h + Zᵀα with the outer objective's adjoint at the last state. */
  gradient(adjoint: Adjoint, tangents: Value[]): Values;
  /** Numbers kept at once: Z, and dx/dλ of the prepared inner data x that a step sees. */
  readonly storedFloats: number;
}

/** Prepares the tangents of a follower. */
export function openTangents(
  program: Program,
  problem: Problem,
  point: Point,
  follower: Follower,
): Tangents {
  const { lambda, batched = false } = point;
  const { floats, step, begin, prepared } = follower;
  const { active, data: preparedData } = prepared.inner;
  const count = countElements(lambda);
  const basis = callTree(program, basisOf, lambda);

  /** dx/dλ of the prepared inner data x, or of one minibatch. */
  const dataTangents = (raw: Values): Value[] => {
    if (active.isEmpty) return [];
    const tangents = (lambda: Arrays, basis: Arrays, raw: Arrays): np.Array[] =>
      pushForward(
        (l: Arrays) => active.take(problem.prepare!(l, raw) as Arrays),
        [lambda],
        [basis],
      );
    return callTree(program, tangents, lambda, basis, raw) as Value[];
  };
  const shared = batched ? [] : dataTangents(point.data.inner);

  const startTangents = (): Value[] => {
    if (!begin) return program.call(zeroTangents, follower.start, lambda);
    const first = (raw: Arrays): Arrays => treeMap((x: np.Array) => x.slice(0), raw);
    const firstOf = (all: Values): Values => (batched ? callTree(program, first, all) : all);
    const push = (l: Arrays, data: Arrays, basis: Arrays, ofData: np.Array[]): np.Array[] =>
      pushForward(
        (l: Arrays, d: np.Array[]) => floats.take(begin(l, active.put(data, d))),
        [l, active.take(data)],
        [basis, ofData],
      );
    const ofData = batched ? dataTangents(firstOf(point.data.inner)) : shared;
    return callTree(program, push, lambda, firstOf(preparedData), basis, ofData) as Value[];
  };

  const stepTangents = (
    state: Arrays,
    lambda: Arrays,
    data: Arrays,
    t: np.Array,
    tangents: np.Array[],
    basis: Arrays,
    ofData: np.Array[],
  ): np.Array[] =>
    pushForward(
      (s: np.Array[], l: Arrays, d: np.Array[]) =>
        floats.take(step(floats.put(state, s), l, active.put(data, d), t)),
      [floats.take(state), lambda, active.take(data)],
      [tangents, basis, ofData],
    );

  const forward: Tangents["forward"] = (state, tangents, steps) => {
    const [carry] = program.scan(
      { length: steps.length },
      ({ state, tangents }: { state: Values; tangents: Value[] }, x: Stacked, i) => {
        const data = batched ? x.data : preparedData;
        const t = stepIndex(program, steps, i);
        const ofData = batched ? dataTangents(x.raw) : shared;
        const args = [state, lambda, data, t];
        return [
          {
            state: callTree(program, step, ...args),
            tangents: callTree(program, stepTangents, ...args, tangents, basis, ofData) as Value[],
          },
          [],
        ];
      },
      { state, tangents },
      (batched ? { data: steps.batches, raw: point.data.inner } : []) as Values,
    );
    return [carry.state, carry.tangents];
  };

  return {
    start: startTangents(),
    forward,
    gradient: ({ alpha, h }, tangents) =>
      callTree(program, (h: Arrays, z: np.Array[], alpha: np.Array[]) => contract(h, z, alpha), h, tangents, alpha), // prettier-ignore
    storedFloats:
      count *
      (countElements(floats.take(follower.start)) + perStepElements(active.take(preparedData))),
  };

  /** Elements of the data that one step sees. */
  function perStepElements(leaves: Value[]): number {
    const all = countElements(leaves);
    return batched && leaves.length > 0 ? all / leaves[0]!.shape[0]! : all;
  }
}

/** Z = 0 for a state at λ; a jax-js function. */
export function zeroTangents(state: Arrays, lambda: Arrays): np.Array[] {
  const count = countElements(lambda);
  return selectFloats(state)
    .take(state)
    .map((x) => np.zeros([count, ...x.shape], { dtype: x.dtype }));
}

/** Minibatches, prepared and as given. */
interface Stacked {
  readonly data: Values;
  readonly raw: Values;
}

function stepIndex(program: Program, { first }: Steps, i: Value): Value {
  return first === 0 ? i : program.call((first: np.Array, i: np.Array) => first.add(i), first, i);
}

/** The directions of all single hyperparameters: leaves [m, ...leaf.shape]. */
function basisOf(lambda: Arrays): Arrays {
  const count = countElements(lambda);
  let next = 0;
  return treeMap((leaf: np.Array) => {
    const first = next;
    next += leaf.size;
    return np
      .eye(count, count, { dtype: leaf.dtype })
      .slice([], [first, next])
      .reshape([count, ...leaf.shape]);
  }, lambda);
}

/** The directional derivatives of fn along stacked tangents, stacked alike. */
function pushForward<A extends Arrays[]>(
  fn: (...args: A) => np.Array[],
  primals: A,
  tangents: A,
): np.Array[] {
  const along = (...tangent: A): np.Array[] => jvp(fn, primals, tangent)[1];
  const all = vmap(along as never) as unknown as (...tangents: Arrays[]) => Arrays;
  return all(...tangents) as np.Array[];
}

/** h + Zᵀα, leaf by leaf of λ. */
function contract(h: Arrays, tangents: np.Array[], alpha: np.Array[]): Arrays {
  const count = countElements(h);
  const products = tangents.map((z, k) =>
    np.matmul(z.reshape([count, -1]), alpha[k]!.reshape([-1])),
  );
  const [leaves, structure] = tree.flatten<np.Array>(h);
  let next = 0;
  const sums = leaves.map((leaf) => {
    const first = next;
    next += leaf.size;
    const parts = products.map((p) =>
      p
        .slice([first, first + leaf.size])
        .reshape(leaf.shape)
        .astype(leaf.dtype),
    );
    return parts.reduce((sum, part) => sum.add(part), leaf);
  });
  return tree.unflatten<np.Array>(structure, sums);
}
