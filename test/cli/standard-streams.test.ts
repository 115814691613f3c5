// Standard output and standard error that take nothing more: a full disk, the limit of a file, a reader that is gone.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { demoTable } from "../../src/automl/tabular/demo.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const full =
  "stackelberg: standard output could not be written: the disk is full; files written earlier are intact\n";

beforeAll(async () => {
  writeFileSync(at("data.csv"), demoTable({ rows: 80, seed: 3 }).csv);
  const words = ["tune", "data.csv", "--target", "target", "--budget", "1ms", "--out", "model"];
  expect(await stackelberg(words, { cwd: folder })).toMatchObject({ exitCode: 0 });
});

describe.runIf(existsSync("/dev/full"))("a full disk", () => {
  test.each([
    ["--help"],
    ["--version"],
    ["rules"],
    ["rules", "--json"],
    ["doctor", "--json"],
    ["predict", "model", "data.csv"],
    ["tune", "--help"],
  ])("as the output of %s %s %s is one sentence and exit code 2", async (...words) => {
    const given = words.filter((word) => word !== undefined);
    const done = await stackelberg(given, { cwd: folder, shell: `"$@" > /dev/full` });
    expect(done).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining(full) });
    expect(done.stderr.split("\n").filter((line) => line.startsWith("stackelberg:"))).toHaveLength(
      1,
    );
    expect(done.stderr).not.toMatch(/^ +at /m);
  });

  test("costs no file of a run", async () => {
    const words = ["tune", "data.csv", "--target", "target", "--budget", "1ms", "--quiet"];
    const shell = `"$@" > /dev/full`;
    const done = await stackelberg([...words, "--out", "printed"], { cwd: folder, shell });
    expect(done).toEqual({ exitCode: 2, stdout: "", stderr: full });
    expect(readdirSync(at("printed")).sort()).toEqual(readdirSync(at("model")).sort());
  });

  test("as standard error is an exit code, for there is no place for a sentence", async () => {
    const words = ["predict", "model", "data.csv"];
    const shell = `"$@" 2> /dev/full`;
    const whole = await stackelberg(words, { cwd: folder });
    expect(whole).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/./) });
    const done = await stackelberg(words, { cwd: folder, shell });
    expect(done).toEqual({ exitCode: 2, stdout: whole.stdout, stderr: "" });
    const both = await stackelberg(words, { cwd: folder, shell: `"$@" > /dev/full 2>&1` });
    expect(both).toEqual({ exitCode: 2, stdout: "", stderr: "" });
  });
});

test.runIf(process.platform === "linux")(
  "an output that is cut in the middle of one write is no success",
  async () => {
    // Blocks of 1024 bytes: the list of rules is longer, and its first 4096 bytes are written.
    const shell = `ulimit -f 4; "$@" > cut.txt`;
    const done = await stackelberg(["rules"], { cwd: folder, shell });
    expect(done.stderr).toMatch(
      /^stackelberg: standard output could not be written: it is longer than files may be here; .*\n$/,
    );
    expect(done.exitCode).toBe(2);
    expect(statSync(at("cut.txt")).size).toBe(4096);
    const whole = await stackelberg(["rules"], { cwd: folder, shell: `"$@" > whole.txt` });
    expect(whole).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(readFileSync(at("whole.txt"), "utf8")).toBe(
      (await stackelberg(["rules"], { cwd: folder })).stdout,
    );
  },
);

describe("a reader that is gone", () => {
  test("ends a command as SIGPIPE ends a Unix tool, without a word", async () => {
    const shell = `{ "$@"; echo "ended with $?" >&2; } | true`;
    for (const words of [["rules"], ["--help"], ["predict", "model", "data.csv", "--id", "1"]]) {
      const { stdout, stderr } = await stackelberg(words, { cwd: folder, shell });
      expect(stdout).toBe("");
      expect(stderr).not.toMatch(/^stackelberg:|^ +at /m);
      expect(stderr.trimEnd().split("\n").at(-1)).toBe("ended with 141");
    }
  });

  test("of the notes alone leaves the result as it is", async () => {
    const shell = `{ "$@" 3>&1 1>&4 2>&3 4>&- | true; } 4>&1; exit \${PIPESTATUS[0]}`;
    const words = ["predict", "model", "data.csv"];
    const whole = await stackelberg(words, { cwd: folder });
    const done = await stackelberg(words, { cwd: folder, shell });
    expect(done).toEqual({ exitCode: 0, stdout: whole.stdout, stderr: "" });
  });

  test("after the first line ends it quietly, whether or not the pipe has taken everything", async () => {
    const shell = `"$@" | head -1; exit \${PIPESTATUS[0]}`;
    const done = await stackelberg(["--help"], { cwd: folder, shell });
    expect([0, 141]).toContain(done.exitCode);
    expect(done.stderr).toBe("");
    expect(done.stdout).toBe("Usage: stackelberg [options] [command]\n");
  });
});
