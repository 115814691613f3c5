import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { ArraySpec, compile, type JaxFunction, tensor, type Tensor, toOnnx } from "../index.ts";

const ramp =
  (alpha: number, low = 0, high = 1) =>
  (x: np.Array): np.Array =>
    np.minimum(np.maximum(x.mul(alpha), low), high) as np.Array;

const isOne = (
  fn: JaxFunction,
  dtype: "float32" | "float64" = "float32",
  optimize = true,
): boolean =>
  Buffer.from(toOnnx(fn, [new ArraySpec([6], dtype)], { optimize }))
    .toString("latin1")
    .includes("HardSigmoid");

const x = tensor(Float32Array.of(-Infinity, -2, -0, 0.25, 0.5, Infinity));

test("min(max(α·x, 0), 1) is one node with the same numbers", async () => {
  expect(isOne(ramp(3))).toBe(true);
  const results = [true, false].map(async (optimize) => {
    const compiled = compile(ramp(3), { optimize });
    const result = (await compiled(x)) as unknown as Tensor;
    await compiled.dispose();
    return Array.from(result.data, (value) => Number(value) + 0);
  });
  expect(await Promise.all(results)).toEqual([
    [0, 0, 0, 0.75, 1, 1],
    [0, 0, 0, 0.75, 1, 1],
  ]);
});

test("other bounds, other types and shared parts are not", () => {
  expect(isOne(ramp(3, 0, 2))).toBe(false);
  expect(isOne(ramp(3, -1, 1))).toBe(false);
  expect(isOne(ramp(3), "float64")).toBe(false);
  expect(isOne(ramp(3), "float32", false)).toBe(false);
  const shared = (x: np.Array): np.Array => {
    const line = np.maximum(x.mul(3), 0) as np.Array;
    return (np.minimum(line, 1) as np.Array).add(np.sin(line));
  };
  expect(isOne(shared)).toBe(false);
});
