/**
 * Problems whose weights have leaves that do not depend on λ, in any position: their inner gradients do not see it, though
 * they are coupled with leaves whose gradients do. jax-js pairs such leaves wrongly.
 *
 *     L = mean_i [½(x_iᵀw − t_i)² + 0.1·tanh²(x_iᵀw) − (x_iᵀw_D)(u_iᵀφ(a))] + ¾‖w‖² + ½eᵖ‖w_first‖²
 *     E = mean_j ½(x_jᵀw_S − y_j)² + 0.05‖a‖² + 0.1·tanh(z)
 *
 * with φ(a) = a + 0.3·tanh(a), D the leaves that depend on λ = (a, p, z), the first of them penalized, and S those that E sees.
 */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import * as dense from "../bilevel/dense.ts";
import { f64, sequence } from "../bilevel/problems.ts";
import { free, type Column } from "./column.ts";
import * as dual from "./hyper-dual.ts";
import { plus, type Model, type Vector } from "./model.ts";
import { implicitAt, root, unrolled } from "./theory.ts";

type Dual = dual.HyperDual;

/** A leaf of the weights. */
export interface LeafKind {
  /** Its shape; [] for a scalar. */
  readonly shape: readonly number[];
  readonly dependsOnLeader: boolean;
  readonly isSeenOutside: boolean;
}

/** What is drawn of such a problem. */
export interface LeavesOptions {
  readonly leaves: readonly LeafKind[];
  /** Of the data. */
  readonly seed: number;
  /** How the leaves of λ, and those that `prepare` returns, are rotated. */
  readonly turn: number;
  /** Whether φ(a) comes from `prepare`, among constants, integers and data that it returns unchanged. */
  readonly isPrepared?: boolean;
  /** Whether the first weights come from `init`, and five steps follow: leaves that depend on λ start at a multiple of p. */
  readonly hasInit?: boolean;
}

/** The matrix's own. */
export const leaves = (): Column =>
  leavesColumn({
    leaves: [
      { shape: [], dependsOnLeader: false, isSeenOutside: true },
      { shape: [2], dependsOnLeader: true, isSeenOutside: true },
      { shape: [1, 2], dependsOnLeader: false, isSeenOutside: true },
      { shape: [], dependsOnLeader: true, isSeenOutside: false },
      { shape: [1], dependsOnLeader: false, isSeenOutside: true },
    ],
    seed: 3,
    turn: 0,
  });

const INNER_ROWS = 6;
const OUTER_ROWS = 4;
const LEADER = { a: [0.6, -0.4], p: [-1.2], z: [0.3] };

/** The column of such a problem. */
export function leavesColumn(options: LeavesOptions): Column {
  const { leaves, seed, turn, isPrepared = false, hasInit = false } = options;
  const sizes = leaves.map(({ shape }) => shape.reduce((product, n) => product * n, 1));
  const offsets = sizes.map((_, k) => sizes.slice(0, k).reduce((sum, n) => sum + n, 0));
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const indicesOf = (keep: (leaf: LeafKind) => boolean): number[] =>
    leaves.flatMap((leaf, k) =>
      keep(leaf) ? Array.from({ length: sizes[k]! }, (_, i) => offsets[k]! + i) : [],
    );
  const depending = indicesOf((leaf) => leaf.dependsOnLeader);
  const seen = indicesOf((leaf) => leaf.isSeenOutside);
  const penalized = leaves.findIndex((leaf) => leaf.dependsOnLeader);
  const table = (rows: number, columns: number, shift: number, size: number): dense.Matrix => {
    const all = [...sequence(rows * columns, seed + shift, size)];
    return Array.from({ length: rows }, (_, i) => all.slice(i * columns, (i + 1) * columns));
  };
  const [X, U, Xv] = [table(INNER_ROWS, n, 0, 0.8), table(INNER_ROWS, 2, 7, 1), table(OUTER_ROWS, n, 13, 0.8)]; // prettier-ignore
  const [t, y] = [[...sequence(INNER_ROWS, seed + 3, 1)], [...sequence(OUTER_ROWS, seed + 5, 1)]];
  const order = rotated(["a", "p", "z"] as const, turn);
  const lambda = order.flatMap((name) => LEADER[name]);

  return {
    ...columnOf(),
    name: "leaves",
    title: "leaves that do not depend on λ among those that do",
    problem: problemOf(),
    lambda: Object.fromEntries(order.map((name) => [name, f64(name === "a" ? LEADER.a : LEADER[name][0]!)])), // prettier-ignore
    data: { inner: { x: f64(X), t: f64(t), u: f64(U) }, outer: { x: f64(Xv), y: f64(y) } },
    batch: { inner: 3, outer: 2 },
  };

  /** Everything in plain JavaScript. */
  function columnOf(): Omit<Column, "name" | "title" | "problem" | "lambda" | "data" | "batch"> {
    const named = (l: readonly Dual[]): Record<"a" | "p" | "z", Dual[]> => {
      let next = 0;
      const parts = order.map((name) => [name, l.slice(next, (next += LEADER[name].length))]);
      return Object.fromEntries(parts) as Record<"a" | "p" | "z", Dual[]>;
    };
    const along = (w: readonly Dual[], row: readonly number[], indices: readonly number[]): Dual =>
      dual.sum(indices.map((i) => dual.scale(row[i]!, w[i]!)));
    const everything = Array.from({ length: n }, (_, i) => i);
    const inner: dual.DualFunction = (w, l) => {
      const { a, p } = named(l);
      const phi = a.map((v) => dual.add(v, dual.scale(0.3, dual.tanh(v))));
      const terms = X.flatMap((row, i) => {
        const out = along(w, row, everything);
        const pull = dual.sum(phi.map((v, k) => dual.scale(-U[i]![k]!, v)));
        return [
          dual.scale(0.5, dual.square(dual.add(out, dual.constant(-t[i]!)))),
          dual.scale(0.1, dual.square(dual.tanh(out))),
          dual.multiply(along(w, row, depending), pull),
        ];
      });
      const first = w.slice(offsets[penalized]!, offsets[penalized]! + sizes[penalized]!);
      return dual.sum([
        dual.scale(1 / INNER_ROWS, dual.sum(terms)),
        dual.scale(0.75, dual.sum(w.map(dual.square))),
        dual.scale(0.5, dual.multiply(dual.exp(p![0]!), dual.sum(first.map(dual.square)))),
      ]);
    };
    const outer: dual.DualFunction = (w, l) => {
      const { a, z } = named(l);
      const terms = Xv.map((row, j) =>
        dual.square(dual.add(along(w, row, seen), dual.constant(-y[j]!))),
      );
      return dual.sum([
        dual.scale(0.5 / OUTER_ROWS, dual.sum(terms)),
        dual.scale(0.05, dual.sum(a.map(dual.square))),
        dual.scale(0.1, dual.tanh(z[0]!)),
      ]);
    };
    const model: Model = { inner: dual.levelOf(inner, lambda), outer: dual.levelOf(outer, lambda) };
    const zero = new Array<number>(n).fill(0);
    const answer = root(model.inner.gradient, model.inner.hessian, zero);
    const curvature = Math.max(
      ...model.inner.hessian(answer).map((row) => row.reduce((sum, v) => sum + Math.abs(v), 0)),
    );
    // The least curvature is 1.5 less what 0.1·tanh² bends down.
    const base = {
      ...free(model, inShapes(zero)),
      rate: 1 / (curvature + 0.2),
      steps: hasInit ? 5 : Math.ceil((28 * (curvature + 0.2)) / 1.3),
    };
    if (!hasInit) {
      const exact = implicitAt(model, answer, dense.solveDense);
      return { ...base, exact, bounded: onPlane(model, answer, base.steps) };
    }
    const p = order.indexOf("p") === 0 ? 0 : lambda.indexOf(LEADER.p[0]!);
    const starts = startsOf(LEADER.p[0]!);
    const startDerivative = starts.map((_, i) =>
      lambda.map((_, k) => (k === p && depending.includes(i) ? 0.5 : 0)),
    );
    const place = { ...base, start: starts, startDerivative };
    return { ...place, exact: unrolled(place, { steps: 5, startDerivative }) };
  }

  /** The last leaf's entries sum to 0.3: for rules that need a constraint. */
  function onPlane(model: Model, from: Vector, steps: number): NonNullable<Column["bounded"]> {
    const k = leaves.length - 1;
    const normal = from.map((_, i) => Number(i >= offsets[k]!));
    const bordered = (hessian: dense.Matrix): dense.Matrix => [
      ...hessian.map((row, i) => [...row, normal[i]!]),
      [...normal, 0],
    ];
    const both = root(
      (x) => [
        ...plus(model.inner.gradient(x.slice(0, n)), x[n]!, normal),
        dense.apply([normal], x.slice(0, n))[0]! - 0.3,
      ],
      (x) => bordered(model.inner.hessian(x.slice(0, n))),
      [...from, 0],
    );
    const w = both.slice(0, n);
    const solve = (hessian: dense.Matrix, v: Vector): Vector =>
      dense.solveDense(bordered(hessian), [...v, 0]).slice(0, n);
    const last = (w: Tree<np.Array>): np.Array => (w as np.Array[])[k]!;
    const project = (w: Tree<np.Array>): Tree<np.Array> => {
      const off = np.sum(last(w)).sub(0.3).mul(1 / sizes[k]!); // prettier-ignore
      return (w as np.Array[]).map((x, i) => (i === k ? x.sub(off) : x));
    };
    return {
      constraints: {
        equalities: (w) => np.sum(last(w)).sub(0.3),
        projection: Object.assign(project, { label: "plane" }),
      },
      exact: implicitAt(model, w, solve),
      steps,
    };
  }

  function startsOf(p: number): Vector {
    return leaves.flatMap((leaf, k) =>
      new Array<number>(sizes[k]!).fill(leaf.dependsOnLeader ? 0.5 * p : 0.1 * k),
    );
  }

  function inShapes(numbers: Vector): Tree<Tensor> {
    return leaves.map(({ shape }, k) =>
      tensor(Float64Array.from(numbers.slice(offsets[k], offsets[k]! + sizes[k]!)), { shape }),
    );
  }

  /** The same as jax-js functions of a list of leaves. */
  function problemOf(): Problem {
    type Leader = Record<"a" | "p" | "z", np.Array>;
    type Data = Record<"x" | "t" | "u" | "y" | "phi", np.Array>;
    const along = (w: np.Array[], x: np.Array, keep: (leaf: LeafKind) => boolean): np.Array =>
      w
        .flatMap((leaf, k) => {
          if (!keep(leaves[k]!)) return [];
          const columns = x.slice([], [offsets[k]!, offsets[k]! + sizes[k]!]);
          return [np.matmul(columns, leaf.reshape([-1]))];
        })
        .reduce((sum, part) => sum.add(part));
    const phiOf = ({ a }: Leader): np.Array => a.add(np.tanh(a).mul(0.3));
    return bilevel({
      inner: (w: np.Array[], l: Leader, d: Data) => {
        const out = along(w, d.x, () => true);
        const phi = isPrepared ? d.phi : phiOf(l);
        return np
          .mean(
            np
              .square(out.sub(d.t))
              .mul(0.5)
              .add(np.square(np.tanh(out)).mul(0.1))
              .sub(along(w, d.x, (leaf) => leaf.dependsOnLeader).mul(np.matmul(d.u, phi))),
          )
          .add(
            w
              .map((leaf) => np.sum(np.square(leaf)))
              .reduce((sum, part) => sum.add(part))
              .mul(0.75),
          )
          .add(np.exp(l.p).mul(np.sum(np.square(w[penalized]!))).mul(0.5)); // prettier-ignore
      },
      outer: (w: np.Array[], l: Leader, d: Data) => {
        const direct = np.sum(np.square(l.a)).mul(0.05).add(np.tanh(l.z).mul(0.1));
        if (seen.length === 0) return np.mean(np.square(d.y)).mul(0.5).add(direct);
        const out = along(w, d.x, (leaf) => leaf.isSeenOutside);
        return np.mean(np.square(out.sub(d.y))).mul(0.5).add(direct); // prettier-ignore
      },
      ...(isPrepared && {
        prepare: (l: Leader, d: Data) =>
          Object.fromEntries(
            rotated(
              [
                ["unit", np.ones([3], { dtype: d.x.dtype })],
                ...Object.entries(d),
                ["index", np.arange(2)],
                ["half", d.x.mul(0.5)],
                ["phi", phiOf(l)],
                ["again", d.x],
              ],
              turn,
            ),
          ),
      }),
      ...(hasInit && {
        init: ({ p }: Leader) =>
          leaves.map(({ shape, dependsOnLeader }, k) =>
            dependsOnLeader
              ? np.broadcastTo(p.mul(0.5), [...shape])
              : np.full([...shape], 0.1 * k, { dtype: p.dtype }),
          ),
      }),
    } as never) as Problem;
  }
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
