import { describe, expect, test } from "vitest";

import type { DType } from "../../src/program/index.ts";
import fixture from "../fixtures/hosts.json" with { type: "json" };
import { cases, dtypes, evaluate } from "./programs.ts";

/** Relative to the largest element; wasm and native kernels round sums differently. */
const tolerance: Partial<Record<DType, number>> = { float32: 2e-6, float64: 1e-13 };

describe.each(Object.keys(cases))("%s", (name) => {
  test.each(dtypes)("%s", async (dtype) => {
    const expected = (fixture as Record<string, number[][]>)[`${name}, ${dtype}`]!;
    const actual = await evaluate(name, dtype);
    expect(actual).toHaveLength(expected.length);
    actual.forEach((leaf, i) => {
      const limit = (tolerance[leaf.dtype] ?? 0) * Math.max(...expected[i]!.map(Math.abs));
      leaf.data.forEach((value, j) => {
        const difference = Math.abs(value - expected[i]![j]!);
        expect(difference, `leaf ${i}, element ${j}`).toBeLessThanOrEqual(limit);
      });
    });
  });
});
