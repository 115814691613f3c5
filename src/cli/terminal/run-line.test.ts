import { expect, test } from "vitest";
import type { RunHappening } from "../../study/run-event.ts";
import type { LiveLine } from "./live-line.ts";
import { showRun, stepPieces } from "./run-line.ts";

/** A line that keeps what is shown on it: drawn pieces as one text, forced ones with a "!", sentences as they are. */
function recorder(live: boolean): LiveLine & { shown: string[] } {
  const shown: string[] = [];
  return {
    shown,
    live,
    draw: (parts, force = false) => shown.push(`${force ? "!" : ""}${parts.join(" · ")}`),
    say: (text) => shown.push(text),
    clear: () => shown.push("cleared"),
  };
}

const split: RunHappening = { type: "part", part: "split", index: 1, of: 5, doing: "the grid" };
const step: RunHappening & { type: "step" } = {
  type: "step",
  step: 3,
  of: 60,
  metrics: {
    gradientNorm: 0.00123,
    innerObjective: 0.31234,
    outerObjective: 0.34567,
    secondsLeft: 57,
    anotherNumber: 5,
  },
};
const measured: RunHappening = {
  type: "measured",
  what: "grid",
  metrics: { testLoss: 0.35 },
  text: "best single coefficient: test loss 0.35",
};

test("parts, steps and sentences of a run on a terminal", () => {
  const line = recorder(true);
  const show = showRun(line, "elsewhere");
  const loading = (k: number): RunHappening => {
    return { type: "step", doing: "reading images", step: k, of: 9, metrics: {} };
  };
  for (const event of [loading(1), loading(2), split, step, measured]) show(event);
  show({ type: "note", text: "a sentence" });
  show({ type: "ended", status: "completed", sentence: "Done." });
  expect(line.shown).toEqual([
    "!reading images · 1/9",
    "reading images · 2/9",
    "!split 2/5 · the grid",
    "!split 2/5 · step 3/60 · 57 s left · outer 0.3457 · inner 0.3123 · gradient 0.00123",
    "a sentence",
  ]);
});

test("what is measured is said elsewhere, or always, with its part", () => {
  for (const [live, when, isSaid] of [
    [true, "elsewhere", false],
    [false, "elsewhere", true],
    [true, "always", true],
  ] as const) {
    const line = recorder(live);
    const show = showRun(line, when);
    show(split);
    show(measured);
    expect(line.shown.slice(1)).toEqual(
      isSaid ? ["split 2/5: best single coefficient: test loss 0.35"] : [],
    );
  }
});

test("no time is left out that is not known, and a count without an end", () => {
  const { of: _, ...endless } = step;
  const pieces = stepPieces({ ...endless, metrics: { ...step.metrics, secondsLeft: NaN } });
  expect(pieces[0]).toBe("step 3");
  expect(pieces.join()).not.toContain("left");
});
