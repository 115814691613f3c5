/** The faults of jax-js 0.1.25 that derivatives.ts goes around. One that fails here is mended: then simplify there. */
import { defaultDevice, init, jvp, linearize, numpy as np, vjp } from "@jax-js/jax";
import { beforeAll, expect, test } from "vitest";

beforeAll(async () => {
  await init("cpu");
  defaultDevice("cpu");
});

const x = (): np.Array => np.array([1, 2, 3]);
const ones = (): np.Array => np.ones([3]);

test("a constant output takes the cotangent of the next one away", () => {
  const f = (x: np.Array): np.Array[] => [np.array([5, 5, 5]), x.mul(2)];
  const [, pull] = vjp(f as never, [x()] as never) as unknown as [
    unknown,
    (u: np.Array[]) => np.Array[],
  ];
  expect(pull([ones().mul(100), ones()])[0]!.js()).toEqual([200, 200, 200]);
  expect(() =>
    (linearize(f as never, [x()] as never)[1] as unknown as (v: np.Array) => unknown)(ones()),
  ).toThrow("Ran out of leaves");
});

test("an output that is computed from another one is not ordered", () => {
  const f = (x: np.Array): np.Array[] => {
    const y = np.sin(x);
    return [y.ref, np.exp(y)];
  };
  expect(() => vjp(f as never, [x()] as never)).toThrow("Invalid atom type");
});

test("a tangent behind a cast has the type of what was cast", () => {
  const f = (x: np.Array): np.Array => np.greater(x, 1.5).astype(np.float32);
  const [y, dy] = jvp(f, [x()], [ones()]);
  expect([y.dtype, dy.dtype]).toEqual(["float32", "bool"]);
});

test("the remainder of integers is the dividend", () => {
  const two = np.array([2, 2, 2], { dtype: np.int32 });
  const [y] = jvp((x: np.Array) => x.astype(np.int32).mod(two.ref), [x()], [ones()]);
  expect(y.js()).toEqual([1, 2, 3]);
});
