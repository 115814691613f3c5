/** A run that is killed again and again ends with the very bytes of one that never was. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { integers, randomKey } from "../../src/random/index.ts";
import { decodeCheckpoint } from "../../src/bilevel/solve/checkpoint.ts";
import { decodeSafetensors } from "../../src/program/tensors/safetensors.ts";

const child = fileURLToPath(new URL("./resume-child.ts", import.meta.url));
const seed = 20;
/** Long enough that a busy machine does not finish before it is killed. */
const length = 300;

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "resume-"))));
afterAll(() => rm(folder, { recursive: true }));

/** Runs the child; kills it `afterMs` after it printed its `steps`-th step, if it gets that far. */
async function runChild(
  path: string,
  kill?: { steps: number; afterMs: number },
): Promise<{ steps: number[]; signal: NodeJS.Signals | null; output: string }> {
  const started = spawn(process.execPath, ["--import", "tsx", child, path, String(length)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const stepsOf = (text: string): number[] =>
    [...text.matchAll(/^step (\d+)$/gm)].map((m) => +m[1]!);
  started.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  started.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (kill && stepsOf(output).length >= kill.steps) {
      setTimeout(() => started.kill("SIGKILL"), kill.afterMs);
      kill = undefined;
    }
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    started.on("close", (...ended) => resolve(ended)),
  );
  if (signal === null && code !== 0) throw new Error(`the child failed: ${output}`);
  return { steps: stepsOf(output), signal, output };
}

test(`SIGKILL at random moments (seed ${seed}), then resume: every byte is the same`, async () => {
  const whole = join(folder, "whole.safetensors");
  const uninterrupted = await runChild(whole);
  expect(uninterrupted.steps).toEqual(Array.from({ length: length + 1 }, (_, i) => i));

  const killed = join(folder, "killed.safetensors");
  let kills = 0;
  for (let attempt = 0; attempt < 12; attempt++) {
    const [steps, afterMs] = integers(randomKey(seed, attempt), 2, 30);
    const kill = { steps: steps! + 1, afterMs: afterMs! };
    const run = await runChild(killed, kills < 5 ? kill : undefined);
    if (run.signal === "SIGKILL") kills++;
    else break;
    const { state } = decodeCheckpoint(await readFile(killed));
    // Each step is on the disk before it is announced; the kill may come between the two.
    expect(state.history.length).toBeGreaterThan(run.steps.at(-1)!);
    expect(state.history.length).toBeLessThanOrEqual(length);
  }
  expect(kills).toBeGreaterThanOrEqual(3);

  const [expected, actual] = [await readFile(whole), await readFile(killed)];
  expect(Buffer.compare(actual, expected)).toBe(0);
  expect(decodeCheckpoint(actual).state.history.length).toBe(length + 1);
  const { tensors } = decodeSafetensors(actual);
  expect(Object.keys(tensors)).toContain("optimizer/second");
  expect([...tensors["lambda"]!.data].every(Number.isFinite)).toBe(true);
});
