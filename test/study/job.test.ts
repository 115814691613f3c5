/** Jobs in threads of their own, and the signals that the main thread answers meanwhile. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { describeFailure } from "../../src/cli/command/errors.ts";
import { runJob } from "../../src/study/job.ts";
import type { SamplePlan } from "./sample-job.ts";

const never = new AbortController().signal;
const run = (
  plan: SamplePlan,
  onEvent: (event: number) => void | Promise<void> = () => undefined,
  signal: AbortSignal = never,
): Promise<{ heard: string[]; bytes?: Uint8Array }> =>
  runJob("./sample-job", import.meta.url, plan, { signal, onEvent });

test("events come in their order, answers go back, and the result is a copy", async () => {
  const seen: number[] = [];
  const bytes = Uint8Array.of(1, 2, 3);
  const result = await run({ tell: [1, 2, 3], then: "return", bytes }, async (number) => {
    await Promise.resolve();
    if (number === 2) {
      throw Object.assign(new Error("no space"), { code: "ENOSPC", path: "out/model.json" });
    }
    seen.push(number);
  });
  expect(seen).toEqual([1, 3]);
  expect(result.heard).toEqual(["1 dealt", "2: Error ENOSPC out/model.json no space", "3 dealt"]);
  expect(result.bytes).toEqual(bytes);
});

test("what a job throws keeps its sentence, code, path and causes", async () => {
  const error = await run({ tell: [], then: "throw" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "RangeError", message: "too long", path: "a.csv" });
  expect((error as Error).cause).toMatchObject({ message: "why" });
  expect(describeFailure(error)).toEqual({ exitCode: 2, sentence: "too long" });
});

test("a thread that ends by itself is a failure, not a silence", async () => {
  await expect(run({ tell: [], then: "exit" })).rejects.toThrow(/ended by itself, with code 3/);
});

test("a job that never pauses hears the signal, and the main thread computes meanwhile", async () => {
  const controller = new AbortController();
  let ticks = 0;
  const timer = setInterval(() => {
    if (++ticks === 3) controller.abort();
  }, 1);
  const { heard } = await run({ tell: [1], then: "until stopped" }, undefined, controller.signal);
  clearInterval(timer);
  expect(heard).toEqual(["1 dealt"]);
  expect(ticks).toBeGreaterThanOrEqual(3);
  // A signal that came before the start counts too.
  await run({ tell: [], then: "until stopped" }, undefined, controller.signal);
});

describe.skipIf(process.platform === "win32")("signals", () => {
  const folder = mkdtempSync(join(tmpdir(), "stackelberg-job-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const child = fileURLToPath(new URL("./interrupted-child.ts", import.meta.url));

  /** Runs the child, which is sent a signal at each of these words on its output. */
  async function interrupted(
    then: SamplePlan["then"],
    send: readonly [at: string, signal: NodeJS.Signals][],
  ): Promise<{ text: string; ending: unknown[] }> {
    const words = ["--import", import.meta.resolve("tsx"), child, then, join(folder, "out")];
    const started = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    const left = [...send];
    started.stdout.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      while (left.length > 0 && text.includes(left[0]![0])) started.kill(left.shift()![1]);
    });
    return new Promise((resolve) => {
      started.on("close", (...ending) => resolve({ text, ending }));
    });
  }

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s asks for an end, which comes with code %i", async (name, code) => {
    const { text, ending } = await interrupted("until stopped", [["computing", name]]);
    expect(text).toMatch(/^computing\nstopping\n(The step .*\n)*ended\n$/);
    expect(ending).toEqual([code, null]);
  });

  test.each([
    // A thread that can be ended leaves a process that exits; one that cannot, a process that the signal ends.
    ["wait", [130, null]],
    ["sleep", [null, "SIGINT"]],
  ] as const)("a second one ends it at once, in the middle of a step (%s)", async (then, code) => {
    const { text, ending } = await interrupted(then, [
      ["computing", "SIGINT"],
      ["The step in progress goes on", "SIGINT"],
    ]);
    expect(text).toMatch(/^computing\nstopping\nThe step in progress goes on, for \d+ s now; Ctrl/);
    expect(text).not.toContain("ended");
    expect(ending).toEqual(code);
    // The lock has been given back.
    expect(readdirSync(folder).filter((name) => name !== "out")).toEqual([]);
    expect(readdirSync(join(folder, "out"))).toEqual([]);
  });
});
