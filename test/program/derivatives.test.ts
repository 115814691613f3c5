/**
 * First and second derivatives through compiled programs: against jax-js's own evaluation, and against
 * central differences in float64, whose error must shrink with the square of the step.
 */
import { grad, init, defaultDevice, jvp, lax, nn, numpy as np, vmap } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";

import { compile } from "../../src/program/compile.ts";
import { ArraySpec, trace } from "../../src/program/trace/trace.ts";
import { type Tensor, tensor } from "../../src/program/tensors/tensor.ts";
import { distance, sample } from "./eager.ts";
import { eager } from "./jax-eager.ts";

beforeAll(async () => {
  await init("cpu");
  defaultDevice("cpu");
});

type Scalar = (w: np.Array) => np.Array;

const features = (): np.Array =>
  np.array([
    [0.5, -1.2, 0.3],
    [1.1, 0.4, -0.7],
    [-0.2, 0.9, 1.3],
    [0.8, -0.5, 0.6],
  ]);

/** Scalar functions of one vector of 12 numbers: no symmetry, nothing linear. */
const functions: Readonly<Record<string, Scalar>> = {
  logistic: (w) => {
    const margin = np.dot(features(), w.slice([0, 3])).mul(np.array([1, -1, 1, -1]));
    return np.mean(np.log(np.exp(np.negative(margin)).add(1))).add(np.sum(np.square(w)).mul(0.05));
  },
  "softmax cross-entropy": (w) => {
    const logits = np.dot(features(), w.reshape([3, 4]));
    const labels = nn.oneHot(np.array([0, 2, 1, 3], { dtype: np.int32 }), 4).astype(w.dtype);
    return np.negative(np.mean(np.sum(nn.logSoftmax(logits).mul(labels), -1)));
  },
  perceptron: (w) => {
    const hidden = np.tanh(
      np.dot(features(), w.slice([0, 6]).reshape([3, 2])).add(w.slice([6, 8])),
    );
    return np.sum(np.square(np.sin(np.dot(hidden, w.slice([8, 12]).reshape([2, 2])))));
  },
  logsumexp: (w) => nn.logsumexp(w.mul(np.array([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]))),
  factorization: (w) => {
    const [u, v] = [w.slice([0, 6]).reshape([3, 2]), w.slice([6, 12]).reshape([2, 3])];
    const target = np.array([
      [1, 0.5, -0.3],
      [0.2, 1.4, 0.1],
      [-0.6, 0.3, 0.9],
    ]);
    return np.sum(np.square(np.dot(u, v).sub(target)));
  },
  "linear solve": (w) => {
    const root = w.slice([0, 9]).reshape([3, 3]);
    const matrix = np.dot(root, np.transpose(root)).add(np.eye(3).astype(w.dtype).mul(2));
    const lower = lax.linalg.cholesky(matrix);
    const half = lax.linalg.triangularSolve(lower, w.slice([9, 12]).reshape([3, 1]), {
      leftSide: true,
      lower: true,
    });
    return np.sum(np.square(half)).add(np.sum(np.log(np.diagonal(lower))));
  },
  reading: (w) =>
    np.sum(
      np.exp(
        np.take(w, np.array([1, 4, 1, 1, 9], { dtype: np.int32 })).mul(np.array([1, 2, 3, 4, 5])),
      ),
    ),
};

/** What is derived from a scalar function; each gives a vector. */
const derivatives: Readonly<Record<string, (f: Scalar, w: np.Array, v: np.Array) => np.Array>> = {
  gradient: (f, w) => grad(f)(w) as np.Array,
  "Hessian-vector product, forward over reverse": (f, w, v) =>
    jvp((x: np.Array) => grad(f)(x), [w], [v])[1] as np.Array,
  "Hessian-vector product, reverse over reverse": (f, w, v) =>
    grad((x: np.Array) => np.sum((grad(f)(x) as np.Array).mul(v)))(w) as np.Array,
  "batch of gradients": (f, w, v) =>
    vmap((x: np.Array) => grad(f)(x) as np.Array)(np.stack([w, v])) as np.Array,
  "gradient of a batch": (f, w, v) =>
    grad((x: np.Array) => np.sum(vmap(f)(np.stack([x, x.mul(v)])) as np.Array))(w) as np.Array,
};

const w = sample([12], "float64", 1, 0.8);
const v = sample([12], "float64", 2, 1);

describe.each(Object.keys(functions))("%s", (name) => {
  const f = functions[name]!;

  test.each(Object.keys(derivatives))("%s is jax-js's", async (kind) => {
    const derive = (x: np.Array, y: np.Array): np.Array => derivatives[kind]!(f, x, y);
    const compiled = compile(derive);
    const found = await compiled(w, v);
    await compiled.dispose();
    // jax-js rounds literals to float32 outside our traces, hence not full double precision.
    expect(distance(found, eager(derive, w, v) as Tensor)).toBeLessThan(2e-6);
  });

  test("gradient and Hessian-vector product are the limits of central differences", async () => {
    const [value, gradient] = [compile(f), compile((x: np.Array) => grad(f)(x) as np.Array)];
    const second = compile(
      (x: np.Array, y: np.Array) => jvp((z: np.Array) => grad(f)(z), [x], [y])[1] as np.Array,
    );
    const at = (step: number): Tensor =>
      tensor(Float64Array.from(w.data, (x, i) => x + step * v.data[i]!));
    const exactGradient = await gradient(w);
    const along = dot(exactGradient.data, v.data);
    const exactSecond = await second(w, v);
    const errors = { value: [] as number[], gradient: [] as number[] };
    for (const step of [1e-2, 5e-3]) {
      const [up, down] = [await value(at(step)), await value(at(-step))];
      errors.value.push(Math.abs((up.item() - down.item()) / (2 * step) - along));
      const [gradientUp, gradientDown] = [await gradient(at(step)), await gradient(at(-step))];
      const difference = Array.from(exactSecond.data, (exact, i) =>
        Math.abs((gradientUp.data[i]! - gradientDown.data[i]!) / (2 * step) - exact),
      );
      errors.gradient.push(Math.max(...difference));
    }
    for (const [coarse, fine] of Object.values(errors) as [number, number][]) {
      // Halving the step quarters the error: slope 2, up to the next order and rounding.
      const slope = Math.log2(coarse / fine);
      expect(coarse).toBeGreaterThan(1e-9);
      expect(slope).toBeGreaterThan(1.9);
      expect(slope).toBeLessThan(2.1);
    }
    for (const each of [value, gradient, second]) await each.dispose();
  });
});

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (x, i) => x * b[i]!).reduce((sum, term) => sum + term, 0);
}

describe("borrowed arrays", () => {
  const styles: Readonly<Record<string, Scalar>> = {
    "without .ref": (x) => np.sum(np.exp(x).mul(x)).add(np.sum(x.mul(x))),
    "with .ref": (x) => np.sum(np.exp(x.ref).mul(x.ref)).add(np.sum(x.ref.mul(x))),
    mixed: (x) => np.sum(np.exp(x).mul(x.ref)).add(np.sum(x.mul(x))),
  };
  const kinds: Readonly<Record<string, (f: Scalar) => (x: np.Array) => unknown>> = {
    value: (f) => f,
    gradient: (f) => (x) => grad(f)(x),
    "Hessian-vector product": (f) => (x) => jvp((y: np.Array) => grad(f)(y), [x], [np.ones([3])]),
    "batched gradient": (f) => (x) =>
      vmap((y: np.Array) => grad(f)(y) as np.Array)(np.stack([x, x])),
  };

  test.each(Object.keys(kinds))("%s: the same jaxpr however it is written", (kind) => {
    const texts = Object.values(styles).map((f) =>
      trace(kinds[kind]!(f), [new ArraySpec([3], "float32")], "f").jaxpr.toString(),
    );
    expect(texts[0]!.length).toBeGreaterThan(50);
    expect(new Set(texts).size).toBe(1);
  });

  test("captured arrays stay alive, and outside jax-js counts again", async () => {
    const captured = np.array([1, 2, 3]);
    const scaled = compile((x: np.Array) => np.sum(x.mul(captured)).add(np.sum(captured)));
    expect((await scaled(tensor([1, 1, 1]))).item()).toBe(12);
    await scaled.dispose();
    expect(captured.ref.js()).toEqual([1, 2, 3]);
    captured.dispose();
    expect(() => captured.js()).toThrow(/freed|disposed/i);
  });

  test("an exception inside the function leaves jax-js as it was", async () => {
    const broken = compile((x: np.Array): np.Array => {
      np.exp(x);
      throw new Error("on purpose");
    });
    await expect(broken(tensor([1]))).rejects.toThrow("on purpose");
    const array = np.array([1, 2]);
    array.dispose();
    expect(() => array.js()).toThrow(/freed|disposed/i);
  });
});

test("literals are exact in float64 programs", async () => {
  const compiled = compile((x: np.Array) => x.mul(0.1).add(1 / 3));
  const found = await compiled(tensor([3, 7], { dtype: "float64" }));
  await compiled.dispose();
  expect(Array.from(found.data)).toEqual([3 * 0.1 + 1 / 3, 7 * 0.1 + 1 / 3]);
});
