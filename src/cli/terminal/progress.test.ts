import { expect, test } from "vitest";
import type { TuneEvent } from "../../automl/tabular/types.ts";
import { createProgress, fitParts, stepParts, type ProgressStream } from "./progress.ts";
import { displayWidth } from "./text.ts";

const step = (index: number): TuneEvent & { type: "step" } => ({
  type: "step",
  repeat: 1,
  step: index,
  steps: 60,
  innerObjective: 0.31234,
  outerObjective: 0.34567,
  gradientNorm: 0.00123,
  innerGradientNorm: 1e-6,
  elapsedSeconds: index,
  remainingSeconds: 60 - index,
});

function recorder(columns = 80): { stream: ProgressStream; text: () => string } {
  let written = "";
  return { stream: { write: (text) => (written += text), columns }, text: () => written };
}

test("live: one line, redrawn at most ten times a second, never wider than the terminal", () => {
  const { stream, text } = recorder(40);
  let clock = 0;
  const progress = createProgress({ stream, live: true, now: () => clock });
  progress.onEvent({ type: "split", repeat: 1, repeats: 5, baselines: ["no tuning", "a grid"] });
  for (let i = 1; i <= 60; i++) {
    clock += 10;
    progress.onEvent(step(i));
  }
  progress.finish();
  const frames = text().split("\r\u001b[2K").slice(1);
  // The forced first frame, one per 100 ms of the 600 ms, and the cleared line at the end.
  expect(frames).toHaveLength(1 + 6 + 1);
  expect(text()).not.toContain("\n");
  expect(frames.at(-1)).toBe("");
  for (const frame of frames) expect(displayWidth(frame)).toBeLessThan(40);
  expect(frames[1]).toMatch(/^split 2\/5 · step 10\/60 · 50 s left/);
});

test("not live: plain lines for notes and methods, nothing for steps", () => {
  const { stream, text } = recorder();
  const progress = createProgress({ stream, live: false });
  progress.onEvent({ type: "split", repeat: 0, repeats: 5, baselines: ["no tuning", "a grid"] });
  progress.onEvent(step(1));
  progress.onEvent({ type: "note", text: "column \u001b[31mred\u001b[0m\nhas 3 levels" });
  progress.onEvent({
    type: "method",
    repeat: 0,
    method: "grid",
    title: "best single coefficient (grid)",
    seconds: 1.5,
    validationLoss: 0.34,
    testLoss: 0.35,
  });
  progress.finish();
  expect(text()).toBe(
    "column [31mred[0m has 3 levels\n" +
      "split 1/5: best single coefficient (grid): validation loss 0.3400, test loss 0.3500, 1.5 s\n",
  );
});

test("a note on a terminal clears the live line first", () => {
  const { stream, text } = recorder();
  const progress = createProgress({ stream, live: true, now: () => 0 });
  progress.onEvent({ type: "split", repeat: 0, repeats: 1, baselines: [] });
  progress.say("note");
  expect(text().endsWith("\r\u001b[2Knote\n")).toBe(true);
});

test("pieces are dropped whole, the first one is cut", () => {
  const parts = stepParts(step(3), 5);
  expect(fitParts(parts, 24)).toBe("split 2/5 · step 3/60");
  expect(fitParts(parts, 5)).toBe("split");
  expect(fitParts(parts, 200)).toContain("gradient 0.00123");
  expect(stepParts({ ...step(3), remainingSeconds: NaN }, 5).join()).not.toContain("left");
});
