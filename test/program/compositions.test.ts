/**
 * Random compositions of a dozen operations, and random products, compiled with and without our
 * optimizations, against jax-js's own evaluation.
 */
import { defaultDevice, grad, init, numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";

import { compile } from "../../src/program/compile.ts";
import { type DType, type Tensor } from "../../src/program/tensors/tensor.ts";
import { distance, sample } from "./eager.ts";
import { eager } from "./jax-eager.ts";

beforeAll(async () => {
  await init("cpu");
  defaultDevice("cpu");
});

const seed = 20240607;

/** One step of a composition: an operation and numbers that pick its operands and parameters. */
interface Step {
  readonly name: string;
  readonly picks: readonly number[];
}

const limits = { rank: 4, size: 300 };

const binary =
  (operation: (a: np.Array, b: np.Array) => np.Array) =>
  (a: np.Array, b: np.Array): np.Array =>
    compatible(a.shape, b.shape) ? operation(a, b) : operation(a, np.mean(b));

const permutation = (rank: number, pick: number): number[] => {
  const rest = Array.from({ length: rank }, (_, axis) => axis);
  return Array.from({ length: rank }, (_, i) => rest.splice((pick >> i) % rest.length, 1)[0]!);
};

/** Operations that keep numbers of ordinary size; an operand that does not fit is averaged first. */
const operations: Readonly<Record<string, (a: np.Array, b: np.Array, pick: number) => np.Array>> = {
  add: binary((a, b) => a.add(b)),
  sub: binary((a, b) => a.sub(b)),
  mul: binary((a, b) => a.mul(np.tanh(b))),
  div: binary((a, b) => a.div(np.square(b).add(1))),
  max: binary((a, b) => np.maximum(a, b)),
  where: binary((a, b) => np.where(a.less(b), np.negative(a), b)),
  sin: (a) => np.sin(a),
  exp: (a) => np.exp(np.tanh(a)),
  transpose: (a, _, pick) => np.transpose(a, permutation(a.ndim, pick)),
  flatten: (a) => a.reshape([-1]),
  newAxis: (a, _, pick) => {
    const at = pick % (a.ndim + 1);
    return a.ndim >= limits.rank
      ? a
      : a.reshape([...a.shape.slice(0, at), 1, ...a.shape.slice(at)]);
  },
  repeat: (a, _, pick) =>
    a.ndim >= limits.rank || a.size * 3 > limits.size
      ? a
      : np.broadcastTo(a, [(pick % 3) + 1, ...a.shape]),
  sum: (a, _, pick) => (a.ndim === 0 ? a : np.sum(a, pick % a.ndim)),
  keepMax: (a, _, pick) => (a.ndim === 0 ? a : np.max(a, pick % a.ndim, { keepdims: true })),
  flip: (a, _, pick) => (a.ndim === 0 ? a : np.flip(a, pick % a.ndim)),
  join: (a) =>
    a.ndim === 0 || 2 * a.size > limits.size ? a : np.concatenate([a, np.negative(a)], 0),
  matmul: (a, b) =>
    a.ndim === 2 && b.ndim === 2 && a.shape[1] === b.shape[0]
      ? np.tanh(np.matmul(a, b))
      : a.ndim >= 1 && a.ndim <= 2 && a.size * a.shape[0]! <= limits.size
        ? np.tanh(np.dot(a, np.transpose(a)))
        : a,
};

function compatible(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.max(a.length, b.length);
  let size = 1;
  for (let i = 1; i <= rank; i++) {
    const [x, y] = [a[a.length - i] ?? 1, b[b.length - i] ?? 1];
    if (x !== y && x !== 1 && y !== 1) return false;
    size *= Math.max(x, y);
  }
  return size <= limits.size;
}

function compose(steps: readonly Step[]): (...inputs: np.Array[]) => np.Array {
  return (...inputs) => {
    const known = [...inputs];
    for (const { name, picks } of steps) {
      // Recent values are likelier, so that compositions grow deep.
      const pick = (i: number): np.Array =>
        known[known.length - 1 - (picks[i]! % Math.min(4, known.length))]!;
      known.push(operations[name]!(pick(0), pick(1), picks[2]!));
    }
    return known[known.length - 1]!;
  };
}

const steps = fc.array(
  fc.record({
    name: fc.constantFrom(...Object.keys(operations)),
    picks: fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }),
  }),
  { minLength: 3, maxLength: 14 },
);

const length = fc.constantFrom(1, 2, 3);
const shapes = fc.tuple(
  fc.array(length, { maxLength: 3 }),
  fc.array(length, { maxLength: 2 }),
  fc.array(length, { minLength: 1, maxLength: 1 }),
);

const tolerances: Partial<Record<DType, number>> = { float32: 2e-5, float64: 2e-6 };

async function agrees(
  fn: (...inputs: np.Array[]) => np.Array,
  inputs: readonly Tensor[],
  tolerance: number,
): Promise<void> {
  const expected = eager(fn, ...inputs) as Tensor;
  for (const optimize of [true, false]) {
    const compiled = compile(fn, { optimize, threads: 1 });
    const found = await compiled(...inputs);
    await compiled.dispose();
    expect(found.dtype).toBe(expected.dtype);
    expect(found.shape).toEqual(expected.shape);
    expect(distance(found, expected)).toBeLessThanOrEqual(tolerance);
  }
}

test.each(["float32", "float64"] as const)("compositions, %s", async (dtype) => {
  await fc.assert(
    fc.asyncProperty(steps, shapes, async (list, sizes) => {
      const inputs = sizes.map((shape, i) => sample(shape, dtype, i + 1, 1.5));
      // jax-js rounds literals to float32 when it evaluates, hence not full double precision.
      await agrees(compose(list), inputs, tolerances[dtype]!);
    }),
    { numRuns: 120, seed },
  );
});

test("gradients of compositions", async () => {
  await fc.assert(
    fc.asyncProperty(steps, shapes, async (list, sizes) => {
      const inputs = sizes.map((shape, i) => sample(shape, "float64", i + 1, 1.5));
      const fn = compose(list);
      const derivative = (x: np.Array, y: np.Array, z: np.Array): np.Array =>
        grad((a: np.Array) => np.sum(np.tanh(fn(a, y, z))))(x) as np.Array;
      await agrees(derivative, inputs, 1e-5);
    }),
    { numRuns: 80, seed },
  );
});

/** A product Σ x·y written as an einsum: which letters each operand has, in which order. */
const product = fc
  .record({
    lengths: fc.tuple(...Array.from({ length: 5 }, () => fc.constantFrom(0, 1, 2, 2, 3, 3, 4))),
    left: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1, maxLength: 4 }),
    right: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1, maxLength: 4 }),
    order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 0, maxLength: 4 }),
    dtype: fc.constantFrom<DType>("float32", "float64", "int32", "uint32"),
  })
  .map((spec) => ({
    ...spec,
    order: spec.order.filter((axis) => spec.left.includes(axis) || spec.right.includes(axis)),
  }));

test("products with any axes in any order, repeated, of length one or zero, in every type", async () => {
  await fc.assert(
    fc.asyncProperty(product, async ({ lengths, left, right, order, dtype }) => {
      const inputs = [left, right].map((axes, i) =>
        sample(
          axes.map((axis) => lengths[axis]!),
          dtype,
          i + 1,
        ),
      );
      const tolerance = { float32: 1e-5, float64: 1e-13 }[dtype as string] ?? 0;
      await agrees(
        (x: np.Array, y: np.Array) => np.einsum(x, left, y, right, order),
        inputs,
        tolerance,
      );
    }),
    { numRuns: 250, seed },
  );
});

test("sums of products of operands that are broadcast, transposed or the same", async () => {
  const patterns: readonly ((x: np.Array, y: np.Array) => np.Array)[] = [
    (x, y) => np.sum(x.reshape([4, 1, 3]).mul(y.reshape([1, 4, 3])), -1),
    (x, y) => np.sum(x.reshape([4, 1, 3]).mul(y.reshape([1, 4, 3])), 0),
    (x, y) => np.sum(x.reshape([4, 1, 3]).mul(y.reshape([1, 4, 3])), [0, 1]),
    (x, y) => np.sum(x.mul(y), 0),
    (x, y) => np.sum(x.mul(y)),
    (x) => np.dot(x, np.transpose(x)),
    (x) => np.dot(np.transpose(x), x),
    (x, y) => np.sum(np.broadcastTo(np.sum(x, 0), [5, 3]).mul(np.sum(y)), 0),
    (x, y) =>
      np.sum(
        np
          .transpose(x)
          .reshape([3, 4, 1])
          .mul(np.transpose(y).reshape([3, 1, 4])),
        0,
      ),
    (x, y) => np.matmul(x.reshape([2, 2, 3]), np.transpose(y.reshape([2, 2, 3]), [0, 2, 1])),
    (x, y) => np.vecdot(x, np.broadcastTo(y.slice(0), [4, 3])),
  ];
  for (const pattern of patterns) {
    for (const dtype of ["float32", "float64", "int32", "uint32"] as const) {
      const inputs = [sample([4, 3], dtype, 1), sample([4, 3], dtype, 2)];
      const tolerance = { float32: 1e-5, float64: 1e-13 }[dtype as string] ?? 0;
      await agrees(pattern, inputs, tolerance);
    }
  }
});
