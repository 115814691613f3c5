/** The rule of a run: named, left to the adviser, kept across an interruption. */
import { beforeAll, describe, expect, test } from "vitest";
import { DataError, randomKey, randomStream, type Column, type Table } from "../../data/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import type { TuneCheckpoint } from "./record.ts";
import { spreadRows } from "../families/linear/choose-rule.ts";
import { tune } from "./tune.ts";
import type { TuneEvent, TuneOptions, TuneResult } from "./types.ts";

const table = classTable(90, ["no", "yes"]);
const base: TuneOptions = {
  target: "label",
  holdout: 0.2,
  validation: 0.2,
  seed: 0,
  repeats: 1,
  steps: 12,
  threads: 1,
};

// The adviser's measurements take a second or two each, on a machine that does nothing else.

describe("the adviser's rule", () => {
  const options: TuneOptions = { ...base, rule: "auto" };
  const events: TuneEvent[] = [];
  let result: TuneResult;
  beforeAll(async () => {
    result = await tune(table, { ...options, onEvent: (event) => events.push(event) });
  });

  test("is the one that runs, with reasons for it and for the others", () => {
    const { rule } = result;
    const { sentence, call, runnersUp, rows, ofRows } = rule!.advice!;
    expect(call.startsWith(`${rule!.name}(`)).toBe(true);
    expect(sentence).toContain("The inner solution is unique");
    expect(sentence).toContain(`Use ${call}: `);
    expect(runnersUp.length).toBeGreaterThan(0);
    expect(runnersUp.map((other) => other.call)).not.toContain(call);
    for (const { why, caution } of runnersUp) expect(why && caution).not.toBe("");
    expect([rows, ofRows]).toEqual([result.rows.train, result.rows.train]);
    expect(events[0]).toEqual({ type: "note", text: `The adviser picked ${call}.` });
  });

  test("reports and counts", () => {
    const { rule, history } = result;
    expect(["converged", "max-steps"]).toContain(rule!.status);
    expect(rule!.sentence).toContain("inner problem");
    expect(rule!.innerGradients % history.length).toBe(0);
    expect(rule!.products).toBeGreaterThan(0);
    expect(rule!.storedBytes).toBeGreaterThan(0);
  });

  test("survives an interruption: the resumed run ends the same", async () => {
    const text = encodeCheckpoint(await interrupted(options));
    const resumed = await tune(table, { ...options, resume: decodeCheckpoint(text) });
    expect(withoutTimes(resumed)).toEqual(withoutTimes(result));
  });
});

test("softmax: the common shift of all biases does not look flat", async () => {
  const three = classTable(90, ["iris", "lily", "rose"]);
  const { rule } = await tune(three, { ...base, steps: 1, rule: "auto" });
  expect(rule!.advice!.sentence).toContain("The inner solution is unique");
});

test("of a large table the adviser sees evenly spread rows, some 5e5 numbers", () => {
  const rows = Int32Array.from({ length: 20_000 }, (_, i) => 3 * i);
  expect(spreadRows(rows, 25)).toEqual(rows);
  expect(spreadRows(rows, 50)).toEqual(rows.filter((_, i) => i % 2 === 0));
  expect(spreadRows(rows, 1e6)).toHaveLength(200);
});

test("a stopped run still says which rule it would have used", async () => {
  const stopped = await tune(table, { ...base, rule: "soba", signal: AbortSignal.abort() });
  expect(stopped.rule).toMatchObject({ name: "soba", status: "not-run", innerGradients: 0 });
  expect(stopped.rule!.bias).toContain("joint step");
});

test("a checkpoint of another rule is refused", async () => {
  const resume = await interrupted({ ...base, rule: "amigo" });
  for (const change of [{}, { rule: "stocBio" }, { rule: "auto" }]) {
    const other = tune(table, { ...base, ...change, resume });
    await expect(other).rejects.toThrow(/other options; .* repeats, steps and rule/);
    await expect(other).rejects.toBeInstanceOf(DataError);
  }
});

test("a name that is none is refused", async () => {
  const wrong = tune(table, { ...base, rule: "revers" });
  await expect(wrong).rejects.toThrow(/^tune: there is no rule "revers"; perhaps "reverse"/);
  await expect(wrong).rejects.toBeInstanceOf(RangeError);
});

/** The state of a run that was stopped at its sixth outer step. */
async function interrupted(options: TuneOptions): Promise<TuneCheckpoint> {
  const controller = new AbortController();
  let last: TuneCheckpoint | undefined;
  await tune(table, {
    ...options,
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === "step" && event.step === 6) controller.abort();
    },
    onCheckpoint: (checkpoint) => {
      last = structuredClone(checkpoint);
    },
  });
  return last!;
}

/** Two informative columns, two of noise, and a categorical one without effect. */
function classTable(rows: number, classes: readonly string[]): Table {
  const stream = randomStream(randomKey(7, "classes", rows));
  const numeric = Array.from({ length: 4 }, () =>
    Float64Array.from({ length: rows }, () => stream.normal()),
  );
  const columns = numeric.map((values, j): Column => ({ kind: "numeric", name: `x${j}`, values }));
  const codes = Int32Array.from({ length: rows }, () => stream.integer(2));
  const labels = Int32Array.from({ length: rows }, (_, i) => {
    const score = numeric[0]![i]! + numeric[1]![i]! + stream.normal();
    const third = classes.length > 2 ? 0.9 : 0;
    return score > third ? 1 : score < -third ? 0 : classes.length - 1;
  });
  return {
    source: "classes",
    rowCount: rows,
    columns: [
      ...columns,
      { kind: "categorical", name: "group", codes, levels: ["p", "q"] },
      { kind: "categorical", name: "label", codes: labels, levels: classes },
    ],
  };
}

/** Wall-clock times differ from run to run, nothing else may. */
function withoutTimes(result: TuneResult): unknown {
  return JSON.parse(JSON.stringify(result), (key, value: unknown) =>
    key === "seconds" ? undefined : value,
  );
}
