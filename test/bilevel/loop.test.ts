/**
 * What is made anew in every turn of a user's loop leaves nothing in memory: rules, problems, compiled functions, data of
 * other shapes. Each case is a process of its own, measured after a warm-up that fills the cache of programs, and after as
 * many turns again. `TURNS=2000 npx vitest run --project node test/bilevel/loop.test.ts` makes more of them.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const child = fileURLToPath(new URL("loop-child.ts", import.meta.url));
const kilobyte = 1e3;
const megabyte = 1e6;

interface Memory {
  readonly heap: number;
  /** Of buffers, among them jax-js's arrays, which grow by pages and are freed when the collector finds them. */
  readonly external: number;
  readonly resident: number;
}

async function run(what: string, before: number, after: number): Promise<[Memory, Memory]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    ...["--import", "tsx", child, what, String(before), String(after)],
  ]);
  return JSON.parse(stdout) as [Memory, Memory];
}

describe("made in every turn", () => {
  test.each([
    ["the same rule", 10, 25],
    ["another rule", 34, 25],
    ["a problem", 10, 25],
    ["a problem, disposed of", 10, 25],
    ["a network", 20, 25],
    ["data of other shapes", 34, 25],
    ["a solve", 10, 15],
    ["a check", 10, 15],
    ["advice", 5, 7],
    ["a compiled function", 34, 40],
    ["a compiled function, disposed of", 10, 40],
    ["a compiled function's shapes", 34, 40],
  ])("%s", async (what, before, some) => {
    const turns = Number(process.env.TURNS ?? some);
    const [first, last] = await run(what, before, turns);
    // Without the cache and the clearing up after jax-js a turn left 160 kB on the heap (advice: some MB) and 1 MB in the
    // process. Code that the engine compiles as it learns takes some hundred kB more, once; jax-js keeps what it jits for
    // each new shape.
    const perTurn = what === "data of other shapes" ? 20 * kilobyte : kilobyte;
    expect(last.heap - first.heap).toBeLessThan(megabyte + perTurn * turns);
    expect(last.external - first.external).toBeLessThan(1.5 * megabyte);
    expect(last.resident - first.resident).toBeLessThan(16 * megabyte + 2 * perTurn * turns);
  });
});
