import { expect, test } from "vitest";
import { Run, type Loop } from "./run.ts";

/** Counts to `length`; its result says how far it came. */
function counter(length: number, failAt = Infinity): { run: Run<number, string>; calls: string[] } {
  const calls: string[] = [];
  let step = 0;
  const loop: Loop<number, string> = {
    next: async () => {
      calls.push(`next ${step}`);
      if (step === failAt) throw new Error("broken");
      return step < length ? step++ : undefined;
    },
    end: async () => {
      calls.push("end");
      return `after ${step}`;
    },
  };
  return { run: new Run(loop), calls };
}

test("nothing happens before somebody asks", async () => {
  const { calls } = counter(2);
  await Promise.resolve();
  expect(calls).toEqual([]);
});

test("awaiting and iterating make the same calls", async () => {
  const awaited = counter(2);
  expect(await awaited.run).toBe("after 2");
  const iterated = counter(2);
  const seen: number[] = [];
  for await (const step of iterated.run) seen.push(step);
  expect(seen).toEqual([0, 1]);
  expect(iterated.calls).toEqual(awaited.calls);
});

test("awaiting after or during the iteration, or twice, does not run again", async () => {
  const { run, calls } = counter(3);
  for await (const _ of run) void run.then(() => calls.push("seen"));
  expect(await run).toBe("after 3");
  expect(await run).toBe("after 3");
  expect(calls).toEqual(["next 0", "next 1", "next 2", "next 3", "end", "seen", "seen", "seen"]);
});

test("break and exceptions end the run cleanly", async () => {
  const broken = counter(5);
  for await (const step of broken.run) if (step === 1) break;
  expect(broken.calls).toEqual(["next 0", "next 1", "end"]);
  expect(await broken.run).toBe("after 2");

  const thrown = counter(5);
  const body = async (): Promise<void> => {
    for await (const step of thrown.run) throw new Error(`consumer ${step}`);
  };
  await expect(body()).rejects.toThrow("consumer 0");
  expect(await thrown.run).toBe("after 1");
});

test("a failing step rejects the iteration and the result, and still ends", async () => {
  const iterated = counter(5, 1);
  const body = async (): Promise<void> => {
    for await (const _ of iterated.run);
  };
  await expect(body()).rejects.toThrow("broken");
  await expect(iterated.run).rejects.toThrow("broken");
  expect(iterated.calls).toEqual(["next 0", "next 1", "end"]);
  const awaited = counter(5, 1);
  await expect(awaited.run).rejects.toThrow("broken");
  expect(await awaited.run.catch(() => "caught")).toBe("caught");
});

test("a second iteration and an iteration after await are refused", async () => {
  const { run } = counter(2);
  for await (const _ of run) break;
  expect(() => run[Symbol.asyncIterator]()).toThrow(/iterate first, then await/);
  const awaited = counter(2).run;
  let ended = false;
  await awaited.finally(() => (ended = true));
  expect(ended).toBe(true);
  expect(() => awaited[Symbol.asyncIterator]()).toThrow(/iterate first, then await/);
});
