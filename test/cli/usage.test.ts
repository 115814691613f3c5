// The process around the commands: exit codes, which stream takes what, help and version.

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();

test("a refusal is one line on stderr, nothing on stdout, and writes nothing", async () => {
  const words = ["tune", "missing.csv", "--target", "label"];
  const refused = await stackelberg(words, { cwd: folder });
  expect(refused.stderr).toMatch(/^stackelberg: missing\.csv: [^\n]+\n$/);
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(readdirSync(folder)).toEqual([]);

  const debugged = await stackelberg(words, { cwd: folder, env: { STACKELBERG_DEBUG: "1" } });
  expect(debugged.stderr).toMatch(/\n +at /);
  expect(debugged.exitCode).toBe(2);
});

test("help and version go to stdout with exit code 0", async () => {
  const [help, version] = await Promise.all([
    stackelberg(["tune", "--help"]),
    stackelberg(["--version"]),
  ]);
  expect(help).toMatchObject({ exitCode: 0, stderr: "" });
  expect(help.stdout).toContain("main.js tune adult.csv --target income");
  const manifest = new URL("../../package.json", import.meta.url);
  const { version: expected } = JSON.parse(readFileSync(manifest, "utf8"));
  expect(version).toEqual({ exitCode: 0, stdout: `${expected}\n`, stderr: "" });
});
