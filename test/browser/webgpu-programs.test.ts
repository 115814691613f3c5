/** Our programs, loops included, on WebGPU (in software here); the numbers are those of the CPU. */
import { describe, expect, test } from "vitest";

import fixture from "../fixtures/hosts.json" with { type: "json" };
import { cases, evaluate } from "../shared/programs.ts";

const { gpu } = navigator as Navigator & { gpu?: { requestAdapter(): Promise<object | null> } };
const adapter = (await gpu?.requestAdapter()) ?? null;

describe.skipIf(adapter === null)("WebGPU (skipped where Chromium has no adapter)", () => {
  test.each(Object.keys(cases))("%s", async (name) => {
    const expected = (fixture as Record<string, number[][]>)[`${name}, float32`]!;
    const actual = await evaluate(name, "float32", { device: "webgpu" });
    actual.forEach((leaf, i) => {
      const scale = Math.max(...expected[i]!.map(Math.abs));
      leaf.data.forEach((value, j) => {
        // A GPU's exp and log are good to a few units in the last place, over twenty steps.
        const difference = Math.abs(value - expected[i]![j]!);
        expect(difference, `leaf ${i}, element ${j}`).toBeLessThanOrEqual(1e-4 * scale);
      });
    });
  });
});
