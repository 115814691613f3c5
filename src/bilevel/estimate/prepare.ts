/**
 * The problem's `prepare` inside a program: applied once to the data of both levels, and pulled back once from the
 * cotangents of what it returned to the hyperparameters.
 */
import { tree, type numpy as np } from "@jax-js/jax";
import {
  ArraySpec,
  checkScalarObjective,
  type Program,
  type Tree,
  type Value,
  vjp,
} from "../../program/index.ts";
import { callTree, select, type Selection, treeMap } from "../../program/internal.ts";
import { addTrees, zerosLikeTree } from "./leaves.ts";
import type { Arrays, BilevelData, Problem } from "../problem.ts";

/** One level's prepared data. */
export interface Prepared {
  readonly data: Tree<Value>;
  /** The leaves whose cotangents matter: floating-point ones that `prepare` did not return unchanged. */
  readonly active: Selection;
  /**
   * (∂data/∂λ)ᵀ of the active leaves' cotangents, added to `gradient`. For stacked minibatches the cotangents are
   * stacked too; fewer of them are those of the last minibatches.
   */
  pull(gradient: Tree<Value>, cotangents: Tree<Value>): Tree<Value>;
}

/**
 * Applies `prepare` to one level's data.
 *
 * @param steps - set when every leaf of `raw` is stacked as [steps, ...]: minibatches, prepared one by one.
 */
export function prepareData(
  program: Program,
  problem: Problem,
  lambda: Tree<Value>,
  raw: Tree<Value>,
  steps?: number,
): Prepared {
  const { prepare } = problem;
  if (prepare === undefined) {
    return { data: raw, active: select(raw, () => false), pull: (gradient) => gradient };
  }
  const apply = (slice: Tree<Value>): Tree<Value> => program.call(prepare, lambda, slice);
  const pullPrepare = (
    lambda: Arrays,
    slice: Arrays,
    cotangents: np.Array[],
    gradient: Arrays,
  ): Arrays => {
    const computed = (l: Arrays): np.Array[] => active.take(prepare(l, slice) as Arrays);
    const [, pull] = vjp(computed, lambda);
    const [contribution] = pull(cotangents);
    return addTrees(gradient, contribution);
  };
  const pullOne = (
    gradient: Tree<Value>,
    slice: Tree<Value>,
    cotangents: Tree<Value>,
  ): Tree<Value> => callTree(program, pullPrepare, lambda, slice, cotangents, gradient);

  let active: Selection;
  if (steps === undefined) {
    const data = apply(raw);
    active = select(data, isNewFloat(raw));
    const pull: Prepared["pull"] = (gradient, cotangents) =>
      active.isEmpty ? gradient : pullOne(gradient, raw, cotangents);
    return { data, active, pull };
  }

  // Leaves that `prepare` returns unchanged stay the stacked originals; the others are stacked by the scan.
  let layout: { structure: ReturnType<typeof tree.structure>; source: (Value | undefined)[] };
  const [, computed] = program.scan(
    { length: steps },
    (carry: Tree<Value>, slice: Tree<Value>) => {
      const data = apply(slice);
      const slices = tree.leaves<Value>(slice);
      const originals = tree.leaves<Value>(raw);
      const [leaves, structure] = tree.flatten<Value>(data);
      const source = leaves.map((leaf) => originals[slices.indexOf(leaf)]);
      layout = { structure, source };
      active = select(data, isNewFloat(slice));
      return [carry, leaves.filter((_, i) => source[i] === undefined)];
    },
    [],
    raw,
  );
  let next = 0;
  const { structure, source } = layout!;
  const data = tree.unflatten<Value>(
    structure,
    source.map((original) => original ?? computed[next++]!),
  );
  const pull: Prepared["pull"] = (gradient, cotangents) => {
    if (active.isEmpty) return gradient;
    const length = tree.leaves<Value>(cotangents)[0]!.shape[0]!;
    const lastOf = (all: Arrays): Arrays =>
      treeMap((x: np.Array) => x.slice([steps - length, steps]), all);
    const slices = length === steps ? raw : callTree(program, lastOf, raw);
    const [sum] = program.scan(
      { length },
      (carry: Tree<Value>, x: { slice: Tree<Value>; cotangents: Tree<Value> }) => [
        pullOne(carry, x.slice, x.cotangents),
        [],
      ],
      gradient,
      { slice: slices, cotangents },
    );
    return sum;
  };
  return { data, active: active!, pull };
}

/** Zero cotangents for the active leaves. */
export function zeroCotangents(program: Program, prepared: Prepared): Value[] {
  const leaves = prepared.active.take(prepared.data);
  return leaves.length === 0 ? [] : program.call(zerosLikeTree<np.Array[]>, leaves);
}

/**
 * Traces both objectives alone, so that a mistake in one is reported in its name.
 *
 * @throws TraceError when an objective cannot be traced or does not return a floating-point scalar.
 */
export function checkObjectives(
  problem: Problem,
  w: Tree<Value>,
  lambda: Tree<Value>,
  data: BilevelData<Tree<Value>>,
): void {
  const spec = (values: Tree<Value>): Tree<ArraySpec> =>
    tree.map((value: Value) => new ArraySpec(value.shape, value.dtype), values) as Tree<ArraySpec>;
  for (const level of ["inner", "outer"] as const) {
    const args = [spec(w), spec(lambda), spec(data[level])];
    checkScalarObjective(problem[level], args, `${level} objective`);
  }
}

function isNewFloat(raw: Tree<Value>): (leaf: Value) => boolean {
  const given = new Set(tree.leaves<Value>(raw));
  return (leaf) => leaf.dtype.startsWith("float") && !given.has(leaf);
}
