/** Checkpoints of the outer loop: when they are written, what resumes, what is refused. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { f64, ridge } from "../../../test/bilevel/small-problems.ts";
import type { Tensor } from "../../program/tensors/tensor.ts";
import { CheckpointError, decodeCheckpoint } from "./checkpoint.ts";
import { adam } from "../optimizers/adam.ts";
import { gradientDescent } from "../optimizers/gradient-descent.ts";
import { momentum } from "../optimizers/momentum.ts";
import { cosineDecay } from "../optimizers/schedule.ts";
import { reverse } from "../rules/explicit/reverse.ts";
import { minibatches } from "./samplers.ts";
import type { SolveOptions, SolveResult } from "./options.ts";
import { solve } from "./solve.ts";

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "solve-"))));
afterAll(() => rm(folder, { recursive: true }));

const steps = { steps: 3, dynamics: momentum({ learningRate: 0.02, momentum: 0.5 }) };
const other = momentum({ learningRate: 0.02, momentum: 0.6 });

/** Everything that has a state: momentum inside, Adam with a schedule outside, minibatches, a best step. */
const options = {
  rule: reverse(steps),
  optimizer: adam({ learningRate: cosineDecay({ initial: 0.3, steps: 20 }) }),
  lambda: ridge.lambda,
  w: ridge.w,
  data: {
    inner: minibatches({ data: ridge.data.inner, size: 2, perStep: 3 }),
    outer: minibatches({ data: ridge.data.outer, size: 1 }),
  },
  seed: 5,
  threads: 1,
} satisfies SolveOptions;

/** Runs and returns the result with every checkpoint written. */
async function run(
  change: Partial<SolveOptions>,
  stopAfter = Infinity,
): Promise<{ result: SolveResult<unknown, unknown>; saved: Uint8Array[] }> {
  const saved: Uint8Array[] = [];
  const save = (bytes: Uint8Array): void => void saved.push(bytes);
  const all = { ...options, budget: { steps: 12 }, checkpoint: { save, everySteps: 5 }, ...change };
  const steps = solve(ridge.problem, all);
  for await (const { step } of steps) if (step === stopAfter) break;
  return { result: await steps, saved };
}
const stepOf = (bytes: Uint8Array): number => decodeCheckpoint(bytes).state.history.length - 1;
const withoutTimes = ({ history }: SolveResult<unknown, unknown>): unknown =>
  history.map((record) => ({ ...record, seconds: 0 }));

describe("when checkpoints are written", () => {
  test("every n steps and at the end", async () => {
    const { saved } = await run({});
    expect(saved.map(stepOf)).toEqual([4, 9, 12]);
  });

  test("not twice at the same step, and on break and abort too", async () => {
    expect((await run({}, 4)).saved.map(stepOf)).toEqual([4]);
    expect((await run({}, 6)).saved.map(stepOf)).toEqual([4, 6]);
    const controller = new AbortController();
    const saved: Uint8Array[] = [];
    const save = (bytes: Uint8Array): void => void saved.push(bytes);
    const { signal } = controller;
    const steps = solve(ridge.problem, { ...options, signal, checkpoint: { save, everySteps: 5 } });
    for await (const { step } of steps) if (step === 7) controller.abort();
    expect((await steps).status).toBe("cancelled");
    expect(saved.map(stepOf)).toEqual([4, 7]);
  });

  test("a step that is not finite does not replace the last good state", async () => {
    const { result, saved } = await run({
      optimizer: gradientDescent({ learningRate: 1e6 }),
      data: ridge.data,
      budget: { steps: 50 },
    });
    expect(result.status).toBe("non-finite");
    expect(stepOf(saved.at(-1)!)).toBe(result.history.length - 2);
  });

  test("a run without an evaluation writes nothing", async () => {
    expect((await run({ signal: AbortSignal.abort() })).saved).toEqual([]);
  });
});

describe("resuming gives what was never interrupted", () => {
  test.each(["warm", "cold"] as const)("%s start, stopped at any step", async (start) => {
    const whole = await run({ start });
    for (const stop of [0, 4, 7]) {
      const { saved } = await run({ start }, stop);
      const resumed = await run({ start, resume: saved.at(-1)! });
      expect(resumed.saved.at(-1)).toEqual(whole.saved.at(-1));
      expect(withoutTimes(resumed.result)).toEqual(withoutTimes(whole.result));
      expect(resumed.result.sentence).toBe(whole.result.sentence);
      expect(resumed.result.cost).toEqual(whole.result.cost);
      expect(resumed.result.best).toEqual(whole.result.best);
      expect((resumed.result.lambda as Tensor).data).toEqual((whole.result.lambda as Tensor).data);
    }
  });

  test("a finished run resumes to the same result without a step, or goes on with more budget", async () => {
    const short = await run({});
    const again = await run({ resume: short.saved.at(-1)! });
    expect(again.saved).toEqual([short.saved.at(-1)]);
    expect(again.result.sentence).toBe(short.result.sentence);
    const longer = await run({ resume: short.saved.at(-1)!, budget: { steps: 17 } });
    const whole = await run({ budget: { steps: 17 } });
    expect(longer.saved.at(-1)).toEqual(whole.saved.at(-1));
  });

  test("early stopping counts the steps before the interruption", async () => {
    const change = { data: ridge.data, earlyStopping: { patience: 3, minImprovement: 1e-2 } };
    const whole = await run({ ...change, budget: { steps: 60 } });
    expect(whole.result.status).toBe("converged");
    const last = whole.result.history.length - 1;
    const { saved } = await run({ ...change, budget: { steps: 60 } }, last - 1);
    const resumed = await run({ ...change, budget: { steps: 60 }, resume: saved.at(-1)! });
    expect(resumed.result.sentence).toBe(whole.result.sentence);
  });

  test("from a file", async () => {
    const path = join(folder, "run.safetensors");
    await run({ checkpoint: { path }, budget: { steps: 3 } });
    const resumed = await run({ checkpoint: { path }, resume: path });
    const whole = await run({});
    expect(withoutTimes(resumed.result)).toEqual(withoutTimes(whole.result));
  });
});

describe("a checkpoint of something else is refused", () => {
  test.each<[string, Partial<SolveOptions>, RegExp]>([
    ["rule", { rule: reverse({ ...steps, checkpoints: "sqrt" }) }, /rule \(saved: reverse;/],
    ["momentum", { rule: reverse({ ...steps, dynamics: other }) }, /the compiled program of/],
    ["optimizer", { optimizer: gradientDescent({ learningRate: 1 }) }, /optimizer \(saved: adam;/],
    ["learning rate", { optimizer: adam({ learningRate: 0.2 }) }, /the compiled program of/],
    ["seed", { seed: 6 }, /seed \(saved: 5; now: 6\)/],
    ["start", { start: "cold" }, /start \(saved: warm; now: cold from/],
    ["lambda", { lambda: f64([0]) }, /lambda \(saved: float64\[\]; now: float64\[1\]\)/],
    [
      "data",
      { data: { ...options.data, outer: ridge.data.outer } },
      /outer data \(saved: \["minib/,
    ],
  ])("another %s", async (_, change, message) => {
    const { saved } = await run({ budget: { steps: 1 } });
    const attempt = run({ ...change, resume: saved[0]! });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toMatchObject({ code: "mismatch" });
  });

  test("a damaged file and a missing one", async () => {
    const { saved } = await run({ budget: { steps: 1 } });
    const path = join(folder, "damaged.safetensors");
    await writeFile(path, saved[0]!.subarray(0, 100));
    await expect(run({ resume: path })).rejects.toThrow(/this file cannot be read \(.*truncated/);
    await expect(run({ resume: join(folder, "none") })).rejects.toThrow(CheckpointError);
  });
});

test("a disk that is full for a while costs nothing but a warning", async () => {
  const saved: Uint8Array[] = [];
  let calls = 0;
  const save = (bytes: Uint8Array): void => {
    if (++calls > 2 && calls < 5) throw new Error("ENOSPC: no space left on device");
    saved.push(bytes);
  };
  const warnings: (readonly string[])[] = [];
  const all = { ...options, budget: { steps: 6 }, checkpoint: { save, everySteps: 1 } };
  const steps = solve(ridge.problem, all);
  for await (const step of steps) warnings.push(step.warnings);
  expect(warnings.map((list) => list.length)).toEqual([0, 0, 1, 1, 0, 0, 0]);
  expect(warnings[3]).toEqual([
    "The checkpoint could not be written 2 times in a row; the last one is that of step 1: ENOSPC: no space left on device",
  ]);
  expect(saved.map(stepOf)).toEqual([0, 1, 4, 5, 6]);

  const full = (): never => {
    throw new Error("ENOSPC: no space left on device");
  };
  const result = await solve(ridge.problem, { ...all, checkpoint: { save: full } });
  const whole = await run({ budget: { steps: 6 } });
  expect(result.status).toBe("max-steps");
  expect(result.sentence).toMatch(/could not be written; none has been written: ENOSPC/);
  expect(withoutTimes(result)).toEqual(withoutTimes(whole.result));
});
