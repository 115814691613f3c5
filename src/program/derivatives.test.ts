/** The door for derivatives on what jax-js pairs wrongly; random trees are in test/program/random-trees.test.ts. */
import { grad as jaxGrad, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { grad, hvp, jvp, valueAndGrad, vjp } from "./derivatives.ts";
import { Program } from "./program.ts";
import { type Tensor, tensor, type Tree } from "./tensors/tensor.ts";
import { TraceError } from "./trace/trace.ts";

const f64 = (values: number[] | number): Tensor => tensor(values, { dtype: "float64" });
const x = f64([1, 2, 3]);

/** A jax-js function's values. */
async function run(fn: (...args: never[]) => unknown, ...args: Tree<Tensor>[]): Promise<unknown> {
  const program = new Program("derivatives");
  const inputs = args.map((arg, i) => program.input(`x${i}`, arg as never));
  program.output("y", program.call(fn as never, ...inputs));
  const executable = await program.compile();
  const { y } = await executable.run(Object.fromEntries(args.map((arg, i) => [`x${i}`, arg])));
  await executable.dispose();
  return values(y as Tree<Tensor>);
}

function values(y: unknown): unknown {
  if (Array.isArray(y)) return y.map(values);
  const leaf = y as Tensor;
  if (leaf.data !== undefined) return Array.from(leaf.data, Number);
  return Object.fromEntries(Object.entries(y as object).map(([k, v]) => [k, values(v)]));
}

/** Functions of [x1, x2, x3] whose outputs jax-js pairs wrongly, and Jᵀ1 = J1 of the diagonal maps. */
const functions: readonly [string, (x: np.Array) => np.Array[], (x: number) => number][] = [
  ["a constant before", (x) => [np.zeros([3], { dtype: x.dtype }), x.mul(2)], () => 2],
  ["a constant of another shape", (x) => [np.zeros([4, 2]), x.mul(2), np.ones([])], () => 2],
  ["nothing but constants", (x) => [np.zerosLike(x)], () => 0],
  ["an argument", (x) => [x, x, np.square(x)], (x) => 2 + 2 * x],
  [
    "integers and booleans",
    (x) => [x.astype(np.int32), np.greater(x, 1), np.square(x)],
    (x) => 2 * x,
  ],
  [
    "one that another is computed from",
    (x) => {
      const y = np.sin(x);
      return [y, np.exp(y), y, y.mul(y)];
    },
    (x) => Math.cos(x) * (2 + Math.exp(Math.sin(x)) + 2 * Math.sin(x)),
  ],
  ["two types", (x) => [np.square(x), np.zeros([2], { dtype: np.float32 })], (x) => 2 * x],
];

describe("outputs that jax-js pairs wrongly", () => {
  test.each(functions)("vjp: %s", async (_, fn, slope) => {
    const pulled = await run((x: np.Array) => {
      const [y, pull] = vjp(fn as never, x) as unknown as [
        np.Array[],
        (u: np.Array[]) => [np.Array],
      ];
      return pull(y.map((leaf) => np.onesLike(leaf)))[0];
    }, x);
    expect(pulled).toEqual([1, 2, 3].map((v) => expect.closeTo(slope(v), 12) as number));
  });

  test.each(functions)("jvp: %s", async (_, fn, slope) => {
    const sum = await run((x: np.Array) => {
      const [y, dy] = jvp(
        fn as never,
        [x] as never,
        [np.onesLike(x)] as never,
      ) as unknown as np.Array[][];
      y!.forEach((leaf, i) =>
        expect([dy![i]!.dtype, dy![i]!.shape]).toEqual([leaf.dtype, leaf.shape]),
      );
      const ofShape = dy!.filter(({ shape }) => shape.join() === "3");
      return ofShape.reduce((a, b) => a.add(b.astype(x.dtype)), np.zerosLike(x));
    }, x);
    expect(sum).toEqual([1, 2, 3].map((v) => expect.closeTo(slope(v), 12) as number));
  });
});

test("arguments that are integers get zeros of their type, and the others their derivative", async () => {
  const fn = ({ a, n }: { a: np.Array; n: np.Array }): np.Array =>
    np.sum(np.square(a).mul(n.astype(a.dtype)));
  const at = { a: x, n: tensor(new Int32Array([1, 0, 2])) };
  const result = await run((at: never) => {
    const gradient = grad(fn, at as { a: np.Array; n: np.Array });
    expect(gradient.n.dtype).toBe("int32");
    return gradient;
  }, at);
  expect(result).toEqual({ a: [2, 0, 12], n: [0, 0, 0] });
});

test("a function of no floating-point argument has derivative 0", async () => {
  const at = tensor(new Int32Array([1, 2]));
  const fn = (n: np.Array): np.Array => np.sum(n.astype(np.float32));
  expect(await run((n: np.Array) => valueAndGrad(fn, n), at)).toEqual([[3], [0, 0]]);
  expect(await run((n: np.Array) => jvp(fn, [n], [n]), at)).toEqual([[3], [0]]);
});

test("hvp: ∇²(Σ x³)·v = 6xv, and through it the derivative of the product", async () => {
  const cube = (x: np.Array): np.Array => np.sum(x.mul(np.square(x)));
  const v = f64([1, -1, 2]);
  expect(await run((x: np.Array, v: np.Array) => hvp(cube, x, v), x, v)).toEqual([6, -12, 36]);
  const third = (x: np.Array, v: np.Array): np.Array => grad((x) => np.sum(hvp(cube, x, v)), x);
  expect(await run(third, x, v)).toEqual([6, -6, 12]);
});

test("remainders of integers that are computed from what is differentiated", async () => {
  const two = tensor(new Int32Array([2, 2, 2]));
  const fn = (x: np.Array, two: np.Array): np.Array =>
    np.sum(x.mul(x.astype(np.int32).mod(two).astype(x.dtype)));
  const byDoor = (x: np.Array, two: np.Array): unknown => valueAndGrad((x) => fn(x, two), x);
  expect(await run(byDoor, x, two)).toEqual([[4], [1, 0, 1]]);
  // An objective that calls jax-js's own `grad`.
  expect(await run((x: np.Array, two: np.Array) => jaxGrad(fn)(x, two), x, two)).toEqual([1, 0, 1]);
});

test("a cotangent or tangent of another shape is refused, not broadcast", async () => {
  const pull = (x: np.Array): unknown => vjp((x: np.Array) => x.mul(2), x)[1](np.ones([]));
  await expect(run(pull, x)).rejects.toThrow(TraceError);
  await expect(run(pull, x)).rejects.toThrow(
    "vjp: the cotangent of leaf 0 must have the shape [3]; [] came",
  );
  const push = (x: np.Array): unknown => jvp((x: np.Array) => x.mul(2), [x], [np.ones([1])]);
  await expect(run(push, x)).rejects.toThrow(
    "jvp: the tangent of leaf 0 must have the shape [3]; [1] came",
  );
});
