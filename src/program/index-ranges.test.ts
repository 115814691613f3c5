import { nn, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { compile } from "./compile.ts";
import { tensor } from "./tensors/tensor.ts";

const labels = (...values: number[]): ReturnType<typeof tensor> =>
  tensor(values, { dtype: "int32" });

const missing =
  "number classes from 0, or make the axis longer. Where it marks a missing label, replace it first, with np.where(…), and mask the loss.";

describe("labels", () => {
  const indicators = compile((k: np.Array) => nn.oneHot(k, 3));

  test("from 0 to the number of classes less 1 are rows of the identity", async () => {
    expect((await indicators(labels(2, 0))).toNested()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });

  test("above are named, and so are those below, which would be the last class", async () => {
    await expect(indicators(labels(0, 3))).rejects.toThrow(
      `function: input argument0: element 1 is 3, but an axis of 3 is read by it, so it must be from 0 to 2; ${missing}`,
    );
    await expect(indicators(labels(-1, 0))).rejects.toThrow(
      "element 0 is -1, but an axis of 3 is read by it, so it must be from 0 to 2",
    );
  });

  test("that mark what is missing may be replaced and masked", async () => {
    const masked = compile((k: np.Array) => {
      const isKnown = np.greaterEqual(k, 0);
      const rows = nn.oneHot(np.where(isKnown, k, 0), 3);
      return rows.mul(isKnown.astype(np.float32).reshape([-1, 1]));
    });
    expect((await masked(labels(1, -1))).toNested()).toEqual([
      [0, 1, 0],
      [0, 0, 0],
    ]);
  });

  test("are found in a tree by their path, through reshapes and in loops", async () => {
    const inTree = compile(({ k }: { k: np.Array }) => nn.oneHot(k.reshape([2, 1]), 2));
    await expect(inTree({ k: labels(1, 2) } as never)).rejects.toThrow(
      "function: input argument0.k: element 1 is 2, but an axis of 2",
    );
  });
});

test("an index of a table may count from the end, but not leave the table", async () => {
  const rows = compile((table: np.Array, k: np.Array) => np.take(table, k, 0));
  const table = tensor([10, 20, 30]);
  expect((await rows(table, labels(-1, 0))).toNested()).toEqual([30, 10]);
  await expect(rows(table, labels(0, -4))).rejects.toThrow(
    "element 1 is -4, but an axis of 3 is read by it, so it must be from -3 (from the end) to 2",
  );
});
