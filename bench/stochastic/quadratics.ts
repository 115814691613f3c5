/**
 * Finite sums of quadratics, made as the public benchmark of stochastic bilevel methods makes them:
 *
 *     L = mean_i ½ zᵀA_i z + xᵀC_i z + a_iᵀz,      E = mean_j ½ zᵀF_j z + ½ xᵀH_j x + xᵀK_j z + f_jᵀz + h_jᵀx
 *
 * A_i = r rᵀ with r ~ N(0, A), the eigenvalues of A spread geometrically over [0.1, 1]; F_j likewise; H_j with one
 * eigenvalue of its mean 0; C_i and K_j of rank one with mean 0.1·UVᵀ; the linear terms standard normal. Terms of L
 * without z move no rule and are left out.
 *
 * @see https://github.com/benchopt/benchmark_bilevel
 */
import { numpy as np } from "@jax-js/jax";
import { bilevel } from "../../src/bilevel/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";
import { apply, solveDense, transpose, type Matrix } from "../../test/bilevel/dense.ts";
import { normals, type Examples, type Task } from "./task.ts";

interface InnerTerms {
  /** A = mean rrᵀ; C = mean p qᵀ. */
  readonly r: np.Array;
  readonly p: np.Array;
  readonly q: np.Array;
  readonly linear: np.Array;
}
interface OuterTerms extends InnerTerms {
  /** H = mean ssᵀ. */
  readonly s: np.Array;
  readonly leader: np.Array;
}

const [smallest, largest, cross] = [0.1, 1, 0.1];
const dimensions = { inner: 100, outer: 10 };
const examples = { inner: 4096, outer: 1024 };

/**
 * Of the seeds 0 … 23 three make an F that is convex, as a convergent method needs, and 10 the one of best condition: its
 * curvature lies in [0.043, 1.0].
 */
const seed = 10;

/** The task. */
export function quadratics(): Task {
  const data = { inner: innerTerms(), outer: outerTerms() };
  const exact = leaderGradient(data);
  return {
    title: "finite sum of quadratics",
    file: "stochastic-quadratics.svg",
    problem: bilevel({
      inner: (z: np.Array, x: np.Array, d: InnerTerms) =>
        np.mean(
          halfSquare(np.dot(d.r, z))
            .add(np.dot(d.p, x).mul(np.dot(d.q, z)))
            .add(np.dot(d.linear, z)),
        ),
      outer: (z: np.Array, x: np.Array, d: OuterTerms) =>
        np.mean(
          halfSquare(np.dot(d.r, z))
            .add(halfSquare(np.dot(d.s, x)))
            .add(np.dot(d.p, x).mul(np.dot(d.q, z)))
            .add(np.dot(d.linear, z))
            .add(np.dot(d.leader, x)),
        ),
    }),
    lambda: float64(normals(seed, "x", dimensions.outer), [dimensions.outer]),
    w: float64(new Float64Array(dimensions.inner), [dimensions.inner]),
    data,
    examples,
    size: 64,
    budget: 9600,
    gradientNorm: (x) => exact(x).reduce((sum, g) => sum + g * g, 0),
  };
}

function halfSquare(x: np.Array): np.Array {
  return np.square(x).mul(0.5);
}

function innerTerms(): Examples {
  return shared("inner", examples.inner);
}

function outerTerms(): Examples {
  const { outer: n } = dimensions;
  const roots = [0, ...spread(n - 1)];
  return {
    ...shared("outer", examples.outer),
    s: correlated("outer s", roots, examples.outer),
    leader: float64(normals(seed, "outer leader", examples.outer * n), [examples.outer, n]),
  };
}

/** What both levels have. */
function shared(level: string, count: number): Record<string, Tensor> {
  const { inner: m, outer: n } = dimensions;
  // p = 0.1·U e and q = V e for standard normal e in the first n coordinates of m: mean pqᵀ = 0.1·UVᵀ.
  const [u, v] = [orthogonal(`${level} u`, n), orthogonal(`${level} v`, m)];
  const e = normals(seed, `${level} cross`, count * m);
  const [p, q] = [new Float64Array(count * n), new Float64Array(count * m)];
  for (let i = 0; i < count; i++) {
    const own = e.subarray(i * m, (i + 1) * m);
    p.set(
      u([...own.subarray(0, n)]).map((x) => cross * x),
      i * n,
    );
    q.set(v([...own]), i * m);
  }
  return {
    r: correlated(`${level} r`, spread(m), count),
    p: float64(p, [count, n]),
    q: float64(q, [count, m]),
    linear: float64(normals(seed, `${level} linear`, count * m), [count, m]),
  };
}

/** Square roots of eigenvalues, geometrically from `smallest` to `largest`. */
function spread(count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    Math.sqrt(smallest * (largest / smallest) ** (i / (count - 1))),
  );
}

/** Rows U D e with U orthogonal, D = diag(roots), e standard normal: their second moment is U D² Uᵀ. */
function correlated(name: string, roots: readonly number[], count: number): Tensor {
  const n = roots.length;
  const u = orthogonal(name, n);
  const rows = normals(seed, `${name} rows`, count * n);
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * n, (i + 1) * n);
    row.set(u([...row].map((x, j) => x * roots[j]!)));
  }
  return float64(rows, [count, n]);
}

/** A random reflection I − 2vvᵀ/‖v‖² as a function. */
function orthogonal(name: string, n: number): (x: number[]) => number[] {
  const v = normals(seed, `${name} reflection`, n);
  const square = v.reduce((sum, x) => sum + x * x, 0);
  return (x) => {
    const along = (2 * x.reduce((sum, xi, i) => sum + xi * v[i]!, 0)) / square;
    return x.map((xi, i) => xi - along * v[i]!);
  };
}

/** x ↦ ∇F(x) = Hx + Kz + h + C v at z = −A⁻¹(Cᵀx + a), v = −A⁻¹(Fz + Kᵀx + f); affine, so it is evaluated once at each basis vector. */
function leaderGradient({
  inner,
  outer,
}: Record<"inner" | "outer", Examples>): (x: readonly number[]) => number[] {
  const a = moment(inner["r"]!, inner["r"]!);
  const c = moment(inner["p"]!, inner["q"]!);
  const [f, h] = [moment(outer["r"]!, outer["r"]!), moment(outer["s"]!, outer["s"]!)];
  const k = moment(outer["p"]!, outer["q"]!);
  const [toA, toF, toH] = [mean(inner["linear"]!), mean(outer["linear"]!), mean(outer["leader"]!)];
  const add = (...all: number[][]): number[] => all[0]!.map((_, i) => all.reduce((sum, v) => sum + v[i]!, 0)); // prettier-ignore
  const negative = (v: number[]): number[] => v.map((x) => -x);
  const at = (x: number[]): number[] => {
    const z = negative(solveDense(a, add(apply(transpose(c), x), toA)));
    const v = negative(solveDense(a, add(apply(f, z), apply(transpose(k), x), toF)));
    return add(apply(h, x), apply(k, z), toH, apply(c, v));
  };
  const n = toH.length;
  const offset = at(new Array<number>(n).fill(0));
  const columns = offset.map((_, j) => {
    const image = at(offset.map((_, i) => (i === j ? 1 : 0)));
    return image.map((g, i) => g - offset[i]!);
  });
  return (x) =>
    offset.map((g, i) => columns.reduce((sum, column, j) => sum + column[i]! * x[j]!, g));
}

/** mean_i u_i v_iᵀ */
function moment(u: Tensor, v: Tensor): Matrix {
  const [count, rows] = u.shape as [number, number];
  const columns = v.shape[1]!;
  const sums = Array.from({ length: rows }, () => new Float64Array(columns));
  for (let i = 0; i < count; i++) {
    for (let r = 0; r < rows; r++) {
      const ur = u.data[i * rows + r]! / count;
      const sum = sums[r]!;
      for (let c = 0; c < columns; c++) sum[c] = sum[c]! + ur * v.data[i * columns + c]!;
    }
  }
  return sums.map((row) => [...row]);
}

function mean(rows: Tensor): number[] {
  const [count, width] = rows.shape as [number, number];
  const sums = new Array<number>(width).fill(0);
  rows.data.forEach((x, i) => (sums[i % width] = sums[i % width]! + x / count));
  return sums;
}

function float64(values: Float64Array, shape: number[]): Tensor {
  return tensor(values, { dtype: "float64", shape });
}
