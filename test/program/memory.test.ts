/**
 * Memory stays flat over many evaluations and many sessions. The resident set is measured after a
 * warm-up, in which the allocators grow to their working size, and after as much work again and more.
 */
import { grad, init, numpy as np } from "@jax-js/jax";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, expect, test } from "vitest";

import { compile } from "../../src/program/compile.ts";
import type { Executable } from "../../src/program/executable.ts";
import { Program } from "../../src/program/program.ts";
import { sample } from "./eager.ts";

const mebibyte = 2 ** 20;

let collect: () => void;

beforeAll(async () => {
  await init("cpu");
  setFlagsFromString("--expose-gc");
  collect = runInNewContext("gc") as () => void;
});

/** Resident set in MiB after `work`, garbage collected. */
async function residentAfter(work: () => Promise<void>): Promise<number> {
  await work();
  // Finalizers of native buffers run after the collection that finds them.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().rss / mebibyte;
}

const gradient = (w: np.Array, x: np.Array): np.Array =>
  grad((v: np.Array) => np.sum(np.tanh(np.dot(x, v))))(w) as np.Array;

test("10,000 evaluations of one program", async () => {
  const inputs = [sample([64], "float32"), sample([100, 64], "float32", 2)] as const;
  const compiled = compile(gradient, { threads: 1 });
  const evaluate = (count: number) => async (): Promise<void> => {
    for (let i = 0; i < count; i++) await compiled(...inputs);
  };
  const before = await residentAfter(evaluate(2_000));
  const after = await residentAfter(evaluate(10_000));
  await compiled.dispose();
  // Keeping only the 256-byte results alive would cost 2.5 MiB of data and several times that in
  // objects; keeping the 25.6 kB inputs, 244 MiB. The bound is the noise of the allocators.
  expect(after - before).toBeLessThan(16);
});

test("200 sessions opened, run and disposed of", async () => {
  // 200 kB of constants in each, 40 MiB if `dispose` did not free them: the handles are kept, so that
  // the garbage collector cannot do it instead.
  const kept: Executable[] = [];
  const vector = sample([1000], "float32", 3);
  const open = (count: number) => async (): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const program = new Program();
      const x = program.input("x", vector);
      const table = program.constant(sample([50, 1000], "float32"));
      program.output(
        "y",
        program.call((a: np.Array, b: np.Array) => np.dot(a, b), table, x),
      );
      const executable = await program.compile({ threads: 1 });
      await executable.run({ x: vector });
      await executable.dispose();
      kept.push(executable);
    }
  };
  const before = await residentAfter(open(50));
  const after = await residentAfter(open(200));
  expect(kept).toHaveLength(250);
  expect(after - before).toBeLessThan(20);
});
