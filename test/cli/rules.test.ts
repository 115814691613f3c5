// `stackelberg rules` as a process: text for people, JSON for programs.

import { expect, test } from "vitest";
import type { RuleRow } from "../../src/cli/rules/command.ts";
import { stackelberg } from "./run-cli.ts";

test("rules prints the cheat-sheet, and with --json the same rows", async () => {
  const [plain, json] = await Promise.all([
    stackelberg(["rules"]),
    stackelberg(["rules", "--json"]),
  ]);
  expect(plain).toMatchObject({ exitCode: 0, stderr: "" });
  expect(plain.stdout).toMatch(/^EXPLICIT\n/);
  const rows = JSON.parse(json.stdout) as RuleRow[];
  expect(rows.length).toBeGreaterThan(25);
  for (const { rule, option, work } of rows) {
    const line = plain.stdout
      .split("\n")
      .find((line) => line.startsWith(`${rule} ${option}`.trim().padEnd(rule.length + 1)));
    expect(line, `${rule} ${option}`).toContain("  ");
    if (option !== "") expect(line).toContain(work);
  }
});
