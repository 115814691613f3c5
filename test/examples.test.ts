/** Every example runs; each ends with an assertion on a known answer. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const examples = readdirSync(`${root}examples`).filter((name) => /^\d\d-.*\.ts$/.test(name));

test("there are examples", () => {
  expect(examples.length).toBeGreaterThanOrEqual(2);
});

test.each(examples)("examples/%s", (name) => {
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", `examples/${name}`], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
