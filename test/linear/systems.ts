/** Linear systems with known solutions, run through a program. */
import { numpy as np } from "@jax-js/jax";
import { LINEAR_OUTCOMES, type LinearOutcome, type LinearSolver } from "../../src/linear/index.ts";
import {
  Program,
  tensor,
  type DType,
  type Tensor,
  type Tree,
  type Value,
} from "../../src/program/index.ts";

type Matrix = readonly (readonly number[])[];

/** A solver's answer on the host. */
export interface Answer {
  readonly q: number[];
  readonly outcome: LinearOutcome;
  readonly residualNorm: number;
  readonly relativeResidual: number;
  readonly steps: number;
  readonly smallestCurvature: number;
  readonly largestCurvature: number;
}

/** How a test runs a solver. */
export interface SolveOptions {
  readonly start?: readonly number[];
  readonly dtype?: DType;
  /** Gives the solver the product with Aᵀ. */
  readonly isSymmetric?: boolean;
  /** Splits the vectors into two leaves of a tree after this many entries. */
  readonly split?: number;
}

/** Solves A·q = b with A given as a matrix, or as its diagonal. */
export async function solveSystem(
  solver: LinearSolver,
  a: Matrix | Float64Array,
  b: ArrayLike<number>,
  options: SolveOptions = {},
): Promise<Answer> {
  const { dtype = "float64", isSymmetric = true, split } = options;
  const n = b.length;
  const cast = (values: ArrayLike<number>, shape: number[]): Tensor =>
    tensor(tensor(Float64Array.from(values), { shape }), { dtype });
  const isDiagonal = a instanceof Float64Array;
  const parts = (values: ArrayLike<number>): Tree<Tensor> => {
    if (split === undefined) return cast(values, [n]);
    const all = Array.from(values);
    return {
      head: cast(all.slice(0, split), [split]),
      tail: [cast(all.slice(split), [1, n - split])],
    };
  };
  const join = (v: Tree<np.Array>): np.Array => {
    if (split === undefined) return v as np.Array;
    const { head, tail } = v as unknown as { head: np.Array; tail: np.Array[] };
    return np.concatenate([head, tail[0]!.reshape([-1])]);
  };
  const part = (v: np.Array): Tree<np.Array> =>
    split === undefined
      ? v
      : { head: v.slice([0, split]), tail: [v.slice([split, n]).reshape([1, -1])] };

  const inputs = {
    a: isDiagonal ? cast(a, [n]) : cast(a.flat(), [n, n]),
    b: parts(b),
    ...(options.start ? { start: parts(options.start) } : {}),
  };
  const program = new Program("linear system");
  const given = program.input("in", inputs as never) as unknown as {
    a: Value;
    b: Tree<Value>;
    start?: Tree<Value>;
  };
  const multiply =
    (isTransposed: boolean) =>
    (v: Tree<Value>): Tree<Value> =>
      program.call(
        ((a: np.Array, v: Tree<np.Array>) => {
          const x = join(v);
          return part(isDiagonal ? a.mul(x) : np.matmul(isTransposed ? a.transpose() : a, x));
        }) as never,
        given.a,
        v,
      ) as Tree<Value>;
  const { solution, report } = solver.solve(program, {
    product: multiply(false),
    ...(isSymmetric ? {} : { transposed: multiply(true) }),
    rhs: given.b,
    ...(given.start ? { start: given.start } : {}),
  });
  program.output("q", program.call(join as never, solution) as Value);
  program.output("report", report as unknown as Tree<Value>);
  const executable = await program.compile();
  const result = (await executable.run({ in: inputs })) as unknown as {
    q: Tensor;
    report: Record<string, Tensor>;
  };
  await executable.dispose();
  const scalar = (name: string): number => result.report[name]!.item();
  return {
    q: Array.from(result.q.data as Float64Array),
    outcome: LINEAR_OUTCOMES[scalar("outcome")]!,
    residualNorm: scalar("residualNorm"),
    relativeResidual: scalar("relativeResidual"),
    steps: scalar("steps"),
    smallestCurvature: scalar("smallestCurvature"),
    largestCurvature: scalar("largestCurvature"),
  };
}

/** A symmetric matrix of the given eigenvalues: a product of reflections of their diagonal. */
export function symmetricWith(eigenvalues: readonly number[], seed = 1): number[][] {
  const n = eigenvalues.length;
  let a = eigenvalues.map((value, i) => eigenvalues.map((_, j) => (i === j ? value : 0)));
  for (let k = 0; k < 3; k++) {
    const u = Array.from({ length: n }, (_, i) =>
      Math.sin(1.7 * (seed + k) + 2.3 * i + 0.11 * i * i),
    );
    const size = u.reduce((sum, v) => sum + v * v, 0);
    const reflect = (m: number[][]): number[][] =>
      m.map((row) => {
        const along = (2 * row.reduce((sum, v, j) => sum + v * u[j]!, 0)) / size;
        return row.map((v, j) => v - along * u[j]!);
      });
    const transpose = (m: number[][]): number[][] => m.map((_, j) => m.map((row) => row[j]!));
    a = transpose(reflect(transpose(reflect(a))));
  }
  return a.map((row, i) => row.map((v, j) => (v + a[j]![i]!) / 2));
}

/** A·x */
export function multiply(a: Matrix, x: readonly number[]): number[] {
  return a.map((row) => row.reduce((sum, v, j) => sum + v * x[j]!, 0));
}

/** Largest |aᵢ − bᵢ|. */
export function distance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i]!)), 0);
}

/** Slope of y against x by least squares. */
export function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (v: readonly number[]): number => v.reduce((sum, u) => sum + u, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const top = x.reduce((sum, v, i) => sum + (v - mx) * (y[i]! - my), 0);
  return top / x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
}
