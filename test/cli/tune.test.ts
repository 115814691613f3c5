// `stackelberg tune` and `predict` from end to end on a small table, interruption included.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { demoTable } from "../../src/automl/tabular/demo.ts";
import { stackelberg, temporaryFolder, type Finished } from "./run-cli.ts";

const folder = temporaryFolder();
const read = (...path: string[]): string => readFileSync(join(folder, ...path), "utf8");
const outputs = [
  "checkpoint.json",
  "events.jsonl",
  "model.json",
  "model.onnx",
  "report.html",
  "result.json",
  "settings.json",
];

/** Results are the same run after run, apart from times. */
function withoutTimes(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (/seconds/i.test(key) ? undefined : value));
}

describe("a small table", () => {
  let first: Finished;

  beforeAll(async () => {
    writeFileSync(join(folder, "small.csv"), demoTable({ rows: 200, seed: 3 }).csv);
    const words = ["tune", "small.csv", "--target", "target", "--repeats", "2", "--steps", "8"];
    first = await stackelberg(words, { cwd: folder });
  });

  test("ends with the table, the verdict and the files, in plain text", () => {
    expect(first.stderr).not.toContain("internal error");
    expect(first.exitCode).toBe(0);
    expect(first.stdout).toMatch(/^method +validation loss +test RMSE/m);
    expect(first.stdout).toContain("One coefficient per column");
    for (const name of outputs) expect(first.stdout).toContain(`  ${name}`);
    expect(first.stderr).toMatch(/^split 2\/2: one coefficient per column/m);
    // eslint-disable-next-line no-control-regex
    expect(first.stdout + first.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(readdirSync(join(folder, "stackelberg-small")).sort()).toEqual(outputs);
    // Every file is named with what it is for.
    for (const name of outputs) {
      expect(first.stdout).toMatch(new RegExp(`\n  ${name.replace(".", "\\.")} +\\w.+\n`));
    }
  });

  test("writes a result that says what was run", () => {
    const result = JSON.parse(read("stackelberg-small", "result.json"));
    expect(result).toMatchObject({ status: "completed", completedRepeats: 2, task: "regression" });
    expect(result.command).toMatch(/main\.js tune small\.csv --target target --holdout 0\.2/);
    expect(result.dataSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(result.model).toBeUndefined();
    expect(read("stackelberg-small", "report.html")).toContain("One coefficient per column");
  });

  test("prints one JSON object with --json, and gives the same result for the same seed", async () => {
    const words = ["tune", "small.csv", "--target", "target", "--repeats", "2", "--steps", "8"];
    const again = await stackelberg([...words, "--json", "--quiet", "--out", "again"], {
      cwd: folder,
    });
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    const printed = JSON.parse(again.stdout) as { files: string[] };
    expect(printed).toMatchObject({ folder: "again", status: "completed" });
    expect(printed.files.toSorted()).toEqual(outputs);
    expect(withoutTimes(read("again", "result.json"))).toEqual(
      withoutTimes(read("stackelberg-small", "result.json")),
    );
    expect(read("again", "model.json")).toBe(read("stackelberg-small", "model.json"));
  });

  test("is not overwritten without --force", async () => {
    const words = ["tune", "small.csv", "--target", "target", "--repeats", "1", "--steps", "1"];
    const before = read("stackelberg-small", "result.json");
    const refused = await stackelberg(words, { cwd: folder });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("--force");
    expect(read("stackelberg-small", "result.json")).toBe(before);

    cpSync(join(folder, "stackelberg-small"), join(folder, "forced"), { recursive: true });
    const forced = await stackelberg([...words, "--out", "forced", "--force"], { cwd: folder });
    expect(forced.exitCode).toBe(0);
    expect(JSON.parse(read("forced", "result.json"))).toMatchObject({ completedRepeats: 1 });
  });

  test("predicts new rows in order, to stdout or to a file", async () => {
    writeFileSync(join(folder, "new.csv"), demoTable({ rows: 30, seed: 4 }).csv);
    const words = ["predict", "stackelberg-small", "new.csv"];
    const printed = await stackelberg(words, { cwd: folder });
    expect(printed.exitCode).toBe(0);
    const [header, ...lines] = printed.stdout.trimEnd().split("\n");
    expect(header).toBe("prediction");
    expect(lines).toHaveLength(30);
    expect(lines.every((line) => Number.isFinite(Number(line)))).toBe(true);

    const written = await stackelberg([...words, "--out", "p.csv"], { cwd: folder });
    expect(written).toMatchObject({ exitCode: 0, stdout: "" });
    expect(read("p.csv")).toBe(printed.stdout);
    const refused = await stackelberg([...words, "--out", "p.csv"], { cwd: folder });
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toContain("--force");
  });

  test("refuses to predict rows without the model's columns", async () => {
    writeFileSync(join(folder, "other.csv"), "x,y\n1,2\n3,4\n");
    const refused = await stackelberg(["predict", "stackelberg-small", "other.csv"], {
      cwd: folder,
    });
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(
      /^stackelberg: other\.csv: the first line, "x", "y", has none of the columns .* that the model needs/,
    );
    expect(existsSync(join(folder, "predictions.csv"))).toBe(false);
  });
});

describe("one folder, several runs", () => {
  const words = ["tune", "--demo", "--repeats", "30", "--steps", "200", "--force", "--out"];
  const kill = (text: string, child: ChildProcess): void => {
    if (/^split 1\/30: best single coefficient/m.test(text)) child.kill("SIGKILL");
  };

  test("a second one is refused, and a kill leaves the earlier run whole", async () => {
    const short = ["--demo", "--repeats", "1", "--steps", "1", "--out", "one"];
    expect(await stackelberg(["tune", ...short], { cwd: folder })).toMatchObject({ exitCode: 0 });
    const before = outputs.map((name) => read("one", name));
    let second: Promise<Finished[]> | undefined;
    const killed = await stackelberg([...words, "one"], {
      cwd: folder,
      onStderr(text, child) {
        if (!/^split 1\/30: default coefficient/m.test(text)) return;
        second ??= Promise.all([
          stackelberg([...words, "one"], { cwd: folder }),
          stackelberg(["tune", "--resume", "one"], { cwd: folder }),
        ]).finally(() => child.kill("SIGKILL"));
      },
    });
    expect(killed.exitCode).toBe(null);
    for (const refused of await second!) {
      expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
      expect(refused.stderr).toMatch(/one is in use by stackelberg tune \(process \d+ on /);
    }
    expect(outputs.map((name) => read("one", "previous", name))).toEqual(before);
    const again = await stackelberg([...words, "one"], { cwd: folder, onStderr: kill });
    expect(again.exitCode).toBe(null);
    expect(again.stderr).toMatch(/^one was left by stackelberg tune \(process \d+/m);
    expect(outputs.map((name) => read("one", "previous", name))).toEqual(before);
    const done = await stackelberg(["tune", ...short, "--force"], { cwd: folder });
    expect(done).toMatchObject({ exitCode: 0 });
    expect(readdirSync(join(folder, "one")).sort()).toEqual([...outputs, "demo.csv"].sort());
  });
});

describe("Ctrl-C", () => {
  const words = ["tune", "--demo", "--repeats", "3", "--steps", "40", "--out"];

  test("saves, and --resume ends where an uninterrupted run would have", async () => {
    let sent = false;
    const stopped = await stackelberg([...words, "stopped"], {
      cwd: folder,
      onStderr(text, child) {
        if (sent || !/^split 1\/3: one coefficient per column/m.test(text)) return;
        sent = true;
        child.kill("SIGINT");
      },
    });
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stderr).toContain("main.js tune --resume stopped");
    expect(JSON.parse(read("stopped", "result.json"))).toMatchObject({ status: "cancelled" });

    const resumed = await stackelberg(["tune", "--resume", "stopped"], { cwd: folder });
    expect(resumed.exitCode).toBe(0);
    const straight = await stackelberg([...words, "straight"], { cwd: folder });
    expect(straight.exitCode).toBe(0);
    const plain = (name: string): unknown => {
      const { command: _, ...rest } = withoutTimes(read(name, "result.json")) as Record<
        string,
        unknown
      >;
      return rest;
    };
    expect(plain("stopped")).toEqual(plain("straight"));
    expect(read("stopped", "model.json")).toBe(read("straight", "model.json"));

    // One that was killed before its first checkpoint has settings only.
    mkdirSync(join(folder, "begun"));
    const path = join(folder, "begun", "demo.csv");
    cpSync(join(folder, "straight", "demo.csv"), path);
    const settings = read("straight", "settings.json");
    writeFileSync(join(folder, "begun", "settings.json"), settings);
    const moved = ["tune", path, "--resume", "begun"];
    expect(await stackelberg(moved, { cwd: folder })).toMatchObject({ exitCode: 0 });
    expect(read("begun", "model.json")).toBe(read("straight", "model.json"));

    const nothing = await stackelberg(["tune", "--resume", "stopped"], { cwd: folder });
    expect(nothing.exitCode).toBe(2);
    expect(nothing.stderr).toContain("was completed");
  });

  test("--resume refuses the folder of another command", async () => {
    const table =
      "x,label\n" + Array.from({ length: 40 }, (_, i) => `${i},${i > 20 ? "b" : "a"}\n`).join("");
    writeFileSync(join(folder, "doubt.csv"), table);
    const clean = ["clean", "doubt.csv", "--target", "label", "--out", "cleaned", "--quiet"];
    expect(await stackelberg(clean, { cwd: folder })).toMatchObject({ exitCode: 0 });
    for (const command of [["tune"], ["fewshot", "train"]]) {
      const refused = await stackelberg([...command, "--resume", "cleaned"], { cwd: folder });
      expect(refused.stderr).toMatch(
        /^stackelberg: --resume cleaned: that is a run of stackelberg clean; give the output folder of .*\n$/,
      );
      expect(refused.exitCode).toBe(2);
    }
  });

  test("--resume refuses another data file", async () => {
    const short = await stackelberg([...words, "short", "--budget", "1ms"], { cwd: folder });
    expect(short.exitCode).toBe(0);
    expect(short.stderr).toContain("The time budget was used up");
    writeFileSync(join(folder, "short", "demo.csv"), "a,target\n1,2\n");
    const refused = await stackelberg(["tune", "--resume", "short"], { cwd: folder });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(/its SHA-256 differs/);
  });
});
