import type { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { compile, tensor, type Tensor } from "../../program/index.ts";
import type { Arrays } from "../problem.ts";
import { adam } from "./adam.ts";
import { clipped } from "./clipped.ts";
import { gradientDescent } from "./gradient-descent.ts";

const optimizer = clipped(gradientDescent({ learningRate: 1 }), { norm: 2 });

/** What one update subtracts from weights of 0 for gradients a and b. */
async function step(a: number[], b: number): Promise<number[]> {
  const update = compile((a: np.Array, b: np.Array, t: np.Array) => {
    const gradient = { a, b } as unknown as Arrays;
    const zero = { a: a.mul(0), b: b.mul(0) } as unknown as Arrays;
    const [next] = optimizer.update(gradient, optimizer.init(zero), zero, t);
    return next;
  });
  const float64 = { dtype: "float64" } as const;
  const zero = tensor(0, { dtype: "int32" });
  const next = (await update(tensor(a, float64), tensor(b, float64), zero)) as unknown as {
    a: Tensor;
    b: Tensor;
  };
  await update.dispose();
  return [...next.a.data, next.b.item()].map((v) => -Number(v));
}

test("a long gradient keeps its direction and gets the bound's length, over all leaves", async () => {
  // The norm of (4, 4, 7) is 9.
  const taken = await step([4, 4], 7);
  [8 / 9, 8 / 9, 14 / 9].forEach((v, i) => expect(taken[i]).toBeCloseTo(v, 14));
});

test("a short one, zero among them, is left as it is", async () => {
  expect(await step([0.5, -1], 0.25)).toEqual([0.5, -1, 0.25]);
  expect((await step([0, 0], 0)).map(Math.abs)).toEqual([0, 0, 0]);
});

test("it is another optimizer than the one inside, and refuses a bound that is none", () => {
  expect(clipped(adam({ learningRate: 1 }), { norm: 3 }).name).toBe("adam clipped at 3");
  expect(() => clipped(optimizer, { norm: 0 })).toThrow(
    "clipped: norm must be a finite number > 0",
  );
});
