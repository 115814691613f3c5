import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("denormal numbers are kept by default and zero with flushDenormals", () => {
  const script = fileURLToPath(new URL("denormals-child.ts", import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", script], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const [kept, flushed] = JSON.parse(stdout) as [number, number];
  expect(kept).toBeCloseTo(1e-40, 44);
  expect(kept).toBeGreaterThan(0);
  expect(flushed).toBe(0);
});
