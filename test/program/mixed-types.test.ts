/**
 * Random expressions of operands of different element types and of bare numbers: ours has jax-js's
 * types after every promotion, and its values.
 */
import { defaultDevice, grad, init, numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";

import { compile } from "../../src/program/compile.ts";
import type { DType, Tensor } from "../../src/program/tensors/tensor.ts";
import { distance, sample } from "./eager.ts";
import { eager } from "./jax-eager.ts";

beforeAll(async () => {
  await init("cpu");
  defaultDevice("cpu");
});

type Operand = np.Array | number;

interface Step {
  readonly name: string;
  readonly picks: readonly [number, number, number];
}

/** What a result keeps its size by; division and mod stay away from zero. */
const operations: Readonly<Record<string, (a: np.Array, b: Operand, pick: number) => np.Array>> = {
  add: (a, b) => np.add(a, b),
  // The negative of a boolean, and of a bare number beside one, is refused.
  sub: (a, b) => (isUnsigned(a) || isUnsigned(b) ? np.add(a, b) : np.subtract(a, b)),
  mul: (a, b) => np.multiply(a, b),
  minimum: (a, b) => np.minimum(a, b),
  maximum: (a, b) => np.maximum(a, b),
  less: (a, b) => np.less(a, b),
  equal: (a, b) => np.equal(a, b),
  where: (a, b) => np.where(np.greater(a, 0), a, b),
  otherwise: (a, b) => np.where(np.greater(a, 0), b, a),
  cast: (a, _, pick) => a.astype(castTypes[pick % castTypes.length]!),
  sum: (a) => (a.dtype === np.bool ? a : np.sum(a, 0, { keepdims: true })),
  transpose: (a) => np.transpose(a),
  join: (a, b) =>
    typeof b === "number" || a.ndim !== b.ndim
      ? a
      : np.concatenate([a.slice([0, 1]), b.slice([0, 1])], 0),
};

const isUnsigned = (x: Operand): boolean =>
  typeof x !== "number" && (x.dtype === np.bool || x.dtype === np.uint32);

const castTypes = [np.float32, np.float64, np.int32, np.bool] as const;
/** All exact in float32: jax-js's reference backend compares others with their float64 values. */
const bareNumbers = [0, 1, -1, 2, 0.5, 0.125, 3, -1.5];
/** Beside an integer or a boolean; others are refused. */
const wholeNumbers = [0, 1, 2, 3];

function compose(steps: readonly Step[]): (...inputs: np.Array[]) => np.Array {
  return (...inputs) => {
    const known = [...inputs];
    for (const { name, picks } of steps) {
      const array = (pick: number): np.Array =>
        known[known.length - 1 - (pick % Math.min(4, known.length))]!;
      const first = array(picks[0]);
      const numbers = first.dtype.startsWith("float") ? bareNumbers : wholeNumbers;
      const other = picks[1] % 3 === 0 ? numbers[picks[2] % numbers.length]! : array(picks[1]);
      known.push(operations[name]!(first, other, picks[2]));
    }
    return known[known.length - 1]!;
  };
}

const steps = fc.array(
  fc.record({
    name: fc.constantFrom(...Object.keys(operations)),
    picks: fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)),
  }),
  { minLength: 2, maxLength: 9 },
);

const types = fc.tuple(
  ...Array.from({ length: 3 }, () => fc.constantFrom<DType>("float32", "float64", "int32", "bool")),
);

async function agrees(
  fn: (...inputs: np.Array[]) => np.Array,
  inputs: readonly Tensor[],
): Promise<void> {
  let expected: Tensor;
  try {
    expected = eager(fn, ...inputs) as Tensor;
  } catch (error) {
    // What jax-js has no rule for (subtracting booleans) is no expression; ours must refuse it, too.
    await expect(compile(fn)(...inputs)).rejects.toThrow();
    expect(error).toBeInstanceOf(Error);
    return;
  }
  for (const optimize of [true, false]) {
    const compiled = compile(fn, { optimize, threads: 1 });
    const found = await compiled(...inputs);
    await compiled.dispose();
    expect(found.dtype).toBe(expected.dtype);
    expect(found.shape).toEqual(expected.shape);
    // jax-js rounds literals to float32 when it evaluates.
    const tolerance = found.dtype.startsWith("float") ? 1e-5 : 0;
    expect(distance(found, expected)).toBeLessThanOrEqual(tolerance);
  }
}

test("promotions", async () => {
  await fc.assert(
    fc.asyncProperty(steps, types, async (list, dtypes) => {
      const inputs = dtypes.map((dtype, i) => sample([3, 3], dtype, i + 1, 1.4));
      await agrees(compose(list), inputs);
    }),
    { numRuns: 200, seed: 31 },
  );
});

test("promotions in gradients", async () => {
  await fc.assert(
    fc.asyncProperty(steps, types, async (list, dtypes) => {
      const inputs = dtypes.map((dtype, i) =>
        sample([3, 3], i === 0 ? "float32" : dtype, i + 1, 1.4),
      );
      const fn = compose(list);
      const derivative = (x: np.Array, y: np.Array, z: np.Array): np.Array =>
        grad((a: np.Array) => np.sum(np.tanh(fn(a, y, z).astype(np.float32).mul(a))))(
          x,
        ) as np.Array;
      await agrees(derivative, inputs);
    }),
    { numRuns: 120, seed: 32 },
  );
});

test("a product with 1 that jax-js drops keeps its promotion", async () => {
  // jax-js broadcasts the int32 scalar straight to float64 in the derivative.
  const fn = (x: np.Array): np.Array => grad((y: np.Array) => np.linalg.det(y))(x) as np.Array;
  const x = sample([3, 3], "float64");
  const compiled = compile(fn);
  expect(distance(await compiled(x), eager(fn, x) as Tensor)).toBeLessThan(1e-12);
  await compiled.dispose();
});
