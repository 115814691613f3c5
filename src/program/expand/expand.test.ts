/** Linear algebra written as loops: identities, closed forms, what jax-js gives, and its derivatives. */
import { defaultDevice, grad, init, jvp, lax, numpy as np, vmap } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";

import { distance, sample } from "../../../test/program/eager.ts";
import { eager } from "../../../test/program/jax-eager.ts";
import { compile } from "../compile.ts";
import { type Tensor, tensor } from "../tensors/tensor.ts";

beforeAll(async () => {
  await init("cpu");
  defaultDevice("cpu");
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Fn = (...arrays: any[]) => unknown;

async function run<T>(fn: Fn, ...inputs: Tensor[]): Promise<T> {
  const compiled = compile(fn, { threads: 1 });
  const result = (await compiled(...inputs)) as T;
  await compiled.dispose();
  return result;
}

const spd = (x: np.Array): np.Array => {
  const n = x.shape[x.ndim - 1]!;
  return np.matmul(x, np.matrixTranspose(x)).add(np.eye(n).astype(x.dtype));
};

const maximum = (value: Tensor): number => Math.max(0, ...Array.from(value.data, Math.abs));

describe("Cholesky", () => {
  test.each(
    [
      [1, 1],
      [7, 7],
      [40, 40],
      [2, 3, 5, 5],
    ].map((shape) => [shape]),
  )("L Lᵀ = A, %j", async (shape) => {
    const residual = (x: np.Array): np.Array => {
      const a = spd(x);
      const lower = lax.linalg.cholesky(a);
      return np.matmul(lower, np.matrixTranspose(lower)).sub(a);
    };
    // Backward error of the factorization: about n · eps · |A|.
    expect(maximum(await run<Tensor>(residual, sample(shape, "float64")))).toBeLessThan(1e-12);
  });

  test("∇ log det A = A⁻¹, and its directional derivative −A⁻¹ V A⁻¹", async () => {
    const logDet = (a: np.Array): np.Array =>
      np.sum(np.log(np.diagonal(lax.linalg.cholesky(a)))).mul(2);
    const check = (x: np.Array, v: np.Array): np.Array[] => {
      const a = spd(x);
      const direction = v.add(np.transpose(v));
      const [gradient, change] = jvp(
        (m: np.Array) => grad(logDet)(m) as np.Array,
        [a],
        [direction],
      );
      const eye = np.eye(4).astype(a.dtype);
      const product = np.matmul(a, gradient);
      const expected = np.negative(np.matmul(gradient, np.matmul(direction, gradient)));
      return [product.sub(eye), change.sub(expected)];
    };
    const residuals = await run<Tensor[]>(
      check,
      sample([4, 4], "float64"),
      sample([4, 4], "float64", 2),
    );
    for (const residual of residuals) expect(maximum(residual)).toBeLessThan(1e-13);
  });

  test("a matrix that is not positive definite gives NaN from the first bad column on", async () => {
    const a = tensor([
      [4, 0, 0],
      [2, -1, 0],
      [0, 1, 3],
    ]);
    const found = await run<Tensor>((x: np.Array) => lax.linalg.cholesky(x), a);
    expect(found.toNested()).toEqual([
      [2, 0, 0],
      [1, NaN, 0],
      [0, NaN, NaN],
    ]);
  });
});

describe("triangular systems", () => {
  const options = [true, false].flatMap((leftSide) =>
    [true, false].flatMap((lower) =>
      [true, false].flatMap((transposeA) =>
        [true, false].map((unitDiagonal) => ({ leftSide, lower, transposeA, unitDiagonal })),
      ),
    ),
  );
  test.each(options)("%j", async (option) => {
    const inputs = [sample([2, 5, 5], "float64", 1, 1), sample([2, 5, 5], "float64", 2)];
    const solve = (a: np.Array, b: np.Array): np.Array =>
      lax.linalg.triangularSolve(a.add(np.eye(5).astype(a.dtype).mul(2)), b, option);
    expect(
      distance(await run<Tensor>(solve, ...inputs), eager(solve, ...inputs) as Tensor),
    ).toBeLessThan(1e-12);
  });

  test("one matrix, a batch of right-hand sides by vmap", async () => {
    const inputs = [sample([4, 4], "float64"), sample([3, 2, 4], "float64", 2)];
    const solve = (x: np.Array, b: np.Array): np.Array => {
      const lower = lax.linalg.cholesky(spd(x));
      return vmap((each: np.Array) => lax.linalg.triangularSolve(lower, each, { lower: true }))(
        b,
      ) as np.Array;
    };
    expect(
      distance(await run<Tensor>(solve, ...inputs), eager(solve, ...inputs) as Tensor),
    ).toBeLessThan(1e-12);
  });
});

describe("LU", () => {
  test.each(
    [
      [6, 6],
      [6, 3],
      [3, 6],
      [2, 4, 4],
    ].map((shape) => [shape]),
  )("A[permutation] = L U, %j", async (shape) => {
    const inputs = [sample(shape, "float64")];
    const factors = (a: np.Array): np.Array[] => lax.linalg.lu(a);
    const found = await run<Tensor[]>(factors, ...inputs);
    const expected = eager(factors, ...inputs) as Tensor[];
    found.forEach((value, i) => expect(distance(value, expected[i]!)).toBeLessThan(1e-13));
  });

  test("equal candidates: the first; a column of zeros is left as it is", async () => {
    const a = tensor([
      [0, 2, 1],
      [0, 2, 3],
      [0, -2, 4],
    ]);
    const [factors, pivots, permutation] = await run<[Tensor, Tensor, Tensor]>(
      (x: np.Array) => lax.linalg.lu(x),
      a,
    );
    expect(pivots.toNested()).toEqual([0, 1, 2]);
    expect(permutation.toNested()).toEqual([0, 1, 2]);
    expect(factors.toNested()).toEqual([
      [0, 2, 1],
      [0, 2, 3],
      [0, -1, 7],
    ]);
  });

  test("no columns: the permutation that moves nothing (jax-js leaves it unwritten)", async () => {
    const [, pivots, permutation] = await run<[Tensor, Tensor, Tensor]>(
      (x: np.Array) => lax.linalg.lu(x),
      sample([3, 0], "float32"),
    );
    expect(pivots.shape).toEqual([0]);
    expect(permutation.toNested()).toEqual([0, 1, 2]);
  });

  test("solve, determinant and inverse, with derivatives", async () => {
    const inputs = [sample([4, 4], "float64"), sample([4], "float64", 2)];
    const value = (x: np.Array, b: np.Array): np.Array =>
      np.sum(np.sin(np.linalg.solve(spd(x), b))).add(np.linalg.det(x));
    const derivative = (x: np.Array, b: np.Array): np.Array =>
      grad((y: np.Array) => value(y, b))(x) as np.Array;
    for (const fn of [value, derivative]) {
      expect(
        distance(await run<Tensor>(fn, ...inputs), eager(fn, ...inputs) as Tensor),
      ).toBeLessThan(1e-10);
    }
  });
});

describe("symmetric eigenvalues", () => {
  test.each(
    [
      [2, 2],
      [6, 6],
      [3, 4, 4],
    ].map((shape) => [shape]),
  )("A V = V diag(λ), Vᵀ V = 1, ascending, %j", async (shape) => {
    const check = (x: np.Array): np.Array[] => {
      const a = x.add(np.matrixTranspose(x));
      const [vectors, values] = lax.linalg.eigh(a);
      const scaled = vectors.mul(
        values.reshape([...values.shape.slice(0, -1), 1, shape[shape.length - 1]!]),
      );
      const gram = np.matmul(np.matrixTranspose(vectors), vectors);
      return [
        np.matmul(a, vectors).sub(scaled),
        gram.sub(np.eye(shape[shape.length - 1]!)),
        values,
      ];
    };
    const [residual, orthogonality, values] = await run<Tensor[]>(check, sample(shape, "float64"));
    expect(maximum(residual!)).toBeLessThan(1e-11);
    expect(maximum(orthogonality!)).toBeLessThan(1e-13);
    const n = shape[shape.length - 1]!;
    for (let i = 1; i < values!.data.length; i++) {
      if (i % n !== 0) expect(values!.data[i]).toBeGreaterThanOrEqual(values!.data[i - 1]!);
    }
  });

  test("eigenvalues known in closed form: a path's Laplacian", async () => {
    const n = 8;
    const path = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (__, j) =>
        i === j ? (i === 0 || i === n - 1 ? 1 : 2) : Math.abs(i - j) === 1 ? -1 : 0,
      ),
    );
    const [, values] = await run<[Tensor, Tensor]>(
      (a: np.Array) => lax.linalg.eigh(a),
      tensor(path, { dtype: "float64" }),
    );
    values.data.forEach((value, k) =>
      expect(value).toBeCloseTo(2 - 2 * Math.cos((Math.PI * k) / n), 11),
    );
  });
});
