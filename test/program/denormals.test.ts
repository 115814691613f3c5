import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** The first session of a fresh process; the switch is the process's. */
function product(mode: "keep" | "flush"): number {
  const script = fileURLToPath(new URL("denormals-child.ts", import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", script, mode], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return Number(stdout);
}

test("denormal numbers are kept by default", () => {
  expect(Math.abs(product("keep") - 1e-40)).toBeLessThan(1e-44);
});

test("they are zero with flushDenormals", () => {
  expect(product("flush")).toBe(0);
});
