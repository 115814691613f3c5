/** The log of a run: what was written is read back, a kill tears at most the last line, and no damage passes. */
import { fc, test as property } from "@fast-check/vitest";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openEventLog, readEvents } from "./event-log.ts";
import type { RunHappening } from "./run-event.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stackelberg-events-"));
  path = join(folder, "events.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

const onTrouble = (error: Error): never => {
  throw error;
};
const step = (k: number, doing?: string): RunHappening => ({
  type: "step",
  step: k,
  of: 9,
  metrics: { loss: k },
  ...(doing === undefined ? {} : { doing }),
});
const note = (text: string): RunHappening => ({ type: "note", text });

async function write(list: readonly RunHappening[], run = "r"): Promise<void> {
  const log = await openEventLog(path, run, { onTrouble });
  list.forEach((event) => log.append(event));
  await log.close();
}

const everyKind: readonly RunHappening[] = [
  { type: "started", command: "stackelberg tune", settings: { seed: 1, target: '"é\n' } },
  note('a sentence, with "quotes" and ,"sum":"00000000"}'),
  { type: "part", part: "split", index: 0, of: 5, doing: "the grid" },
  { type: "step", step: 3, metrics: { loss: Number.NaN, norm: Infinity } },
  { type: "measured", what: "default", metrics: { validationLoss: 0.25 }, text: "default: 0.25" },
  { type: "ended", status: "completed", sentence: "Done." },
];

test("every kind of event comes back, with its time and its run; what is no number is NaN", async () => {
  const before = Date.now();
  await write(everyKind, "one");
  const { events, torn } = await readEvents(path);
  expect(torn).toBe(false);
  expect(events.map(({ at, run, ...rest }) => rest)).toEqual(
    everyKind.map((event) =>
      event.type === "step" ? { ...event, metrics: { loss: NaN, norm: NaN } } : event,
    ),
  );
  for (const { at, run } of events) {
    expect(run).toBe("one");
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  }
});

test("a run that goes on keeps its name and its lines", async () => {
  await write([note("first")], "one");
  const first = await readFile(path, "utf8");
  await write([note("second")], "two");
  expect((await readFile(path, "utf8")).startsWith(first)).toBe(true);
  const { events } = await readEvents(path);
  expect(events.map(({ run }) => run)).toEqual(["one", "one"]);
  expect((await readEvents(join(folder, "none"))).events).toEqual([]);
});

test("what begins to be done is written at once, and the last step before a pause is", async () => {
  const log = await openEventLog(path, "r", { onTrouble });
  log.append(step(1));
  log.append(step(2, "validating"));
  log.append(step(3, "validating"));
  const steps = async (): Promise<unknown[]> =>
    (await readEvents(path)).events.flatMap((event) => (event.type === "step" ? event.step : []));
  await expect.poll(steps).toEqual([1, 2]);
  await expect.poll(steps, { timeout: 20_000 }).toEqual([1, 2, 3]);
  await log.close();
});

test("steps that come fast are thinned out, the last before another event stays", async () => {
  let at = 0;
  const log = await openEventLog(path, "r", { onTrouble, now: () => at });
  for (let k = 0; k <= 25; k++) {
    at = 100 * k;
    log.append(step(k));
  }
  log.append(note("between"));
  log.append(step(26));
  log.append(step(27));
  await log.close();
  const { events } = await readEvents(path);
  const kept = events.map((event) => (event.type === "step" ? event.step : event.type));
  expect(kept).toEqual([0, 10, 20, 25, "note", 26, 27]);
});

test("a kill within any byte of the last line costs that line only", async () => {
  await write([note("one"), note("two")]);
  const whole = await readFile(path);
  const lastLine = whole.indexOf(10) + 1;
  for (let length = lastLine; length < whole.length; length++) {
    await writeFile(path, whole.subarray(0, length));
    const { events, torn } = await readEvents(path);
    expect(events).toHaveLength(1);
    expect(torn).toBe(length > lastLine);
    await write([note("three")]);
    const after = await readEvents(path);
    expect(after.torn).toBe(false);
    expect(after.events.map((event) => event.type === "note" && event.text)).toEqual([
      "one",
      "three",
    ]);
  }
});

describe("damage", () => {
  property.prop([fc.nat(), fc.integer({ min: 0, max: 7 })], { numRuns: 100 })(
    "a flipped bit before the last line is noticed",
    async (place, bit) => {
      await rm(path, { force: true });
      await write([note("one"), note("two"), note("three")]);
      const bytes = await readFile(path);
      const end = bytes.lastIndexOf(10, bytes.length - 2);
      bytes[place % end]! ^= 1 << bit;
      await writeFile(path, bytes);
      await expect(readEvents(path)).rejects.toThrow(/is damaged at line [1-3]/);
      await expect(openEventLog(path, "r", { onTrouble })).rejects.toThrow(/is damaged/);
    },
  );

  test("lines that are left out or exchanged are noticed", async () => {
    await write([note("one"), note("two"), note("three")]);
    const [one, two, three] = (await readFile(path, "utf8")).split(/(?<=\n)/);
    for (const lines of [
      [two, three],
      [one, three],
      [two, one, three],
      [one, one, two],
    ]) {
      await writeFile(path, lines.join(""));
      await expect(readEvents(path)).rejects.toThrow(/is damaged/);
    }
  });
});

test("a log that cannot be written is told once and goes on in silence", async () => {
  const said: string[] = [];
  const path = join(folder, "gone", "events.jsonl");
  const log = await openEventLog(path, "r", { onTrouble: ({ message }) => said.push(message) });
  log.append(note("one"));
  log.append(note("two"));
  await log.close();
  expect(said).toEqual([expect.stringMatching(/^ENOENT/)]);
});

test("without events there is no file; after the end nothing is written", async () => {
  await write([]);
  await expect(readFile(path)).rejects.toThrow("ENOENT");
  const log = await openEventLog(path, "r", { onTrouble });
  log.append(note("one"));
  await log.close();
  log.append(note("two"));
  await log.close();
  expect((await readEvents(path)).events).toHaveLength(1);
});
