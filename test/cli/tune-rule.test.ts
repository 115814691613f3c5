// `stackelberg tune --rule` from end to end: a rule by name, the adviser's, and names that cannot be.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { TuneResult } from "../../src/automl/tabular/types.ts";
import { demoTable } from "../../src/automl/tabular/demo.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const words = ["tune", "small.csv", "--target", "target", "--repeats", "1", "--steps", "3"];
const read = (...path: string[]): string => readFileSync(join(folder, ...path), "utf8");
const resultIn = (out: string): TuneResult & { command: string } =>
  JSON.parse(read(out, "result.json")) as TuneResult & { command: string };

beforeAll(() => writeFileSync(join(folder, "small.csv"), demoTable({ rows: 80, seed: 3 }).csv));

test("a named rule runs, and the terminal, the result and the report say so", async () => {
  const run = await stackelberg([...words, "--rule", "amigo", "--out", "named"], { cwd: folder });
  expect(run.stderr).not.toContain("internal error");
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toMatch(
    /^Rule: amigo\(\{ steps: 100, learningRate: [\d.]+ \}\), biased; 400 inner gradients and 404 products with second derivatives in the first split's search, [\d.]+ k?B kept at once\. Its report at the chosen step: [a-z-]+\.$/m,
  );
  const { rule, command } = resultIn("named");
  expect(rule).toMatchObject({ name: "amigo", innerGradients: 400, products: 404 });
  expect(rule!.advice).toBeUndefined();
  expect(command).toContain(" --rule amigo ");
  expect(read("named", "report.html")).toContain(rule!.call);
});

test("auto picks a rule, prints why and what else there is", async () => {
  const run = await stackelberg([...words, "--rule", "auto", "--out", "auto"], { cwd: folder });
  expect(run.exitCode).toBe(0);
  const { call, advice } = resultIn("auto").rule!;
  expect(run.stderr).toContain(`The adviser picked ${call}.`);
  expect(run.stdout).toContain(`training rows with all coefficients 1: ${advice!.sentence}`);
  expect(run.stdout).toContain("The others, best first:\n");
  for (const other of advice!.runnersUp) {
    expect(run.stdout).toContain(`${other.call}: ${other.why} ${other.caution}\n`);
  }
  expect(read("auto", "report.html")).toContain("The others, best first:");
});

test.each([
  ["revers", /^stackelberg: --rule: there is no rule "revers"; perhaps "reverse" .* meant\n$/],
  ["implicitKkt", /^stackelberg: --rule: implicitKkt does not apply: it is for followers under /],
])("--rule %s is refused in a sentence", async (name, sentence) => {
  const run = await stackelberg([...words, "--rule", name, "--out", "wrong"], { cwd: folder });
  expect(run).toMatchObject({ exitCode: 2, stdout: "" });
  expect(run.stderr).toMatch(sentence);
  expect(existsSync(join(folder, "wrong"))).toBe(false);
});

test("a resumed run keeps its rule", async () => {
  const resume = ["tune", "--resume", "named", "--rule", "reverse"];
  const run = await stackelberg(resume, { cwd: folder });
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain("--rule cannot be combined with --resume");
});
