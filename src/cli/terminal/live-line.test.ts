import { expect, test } from "vitest";
import { createLiveLine, fitParts, type LineStream } from "./live-line.ts";
import { displayWidth } from "./text.ts";

function recorder(columns = 80): { stream: LineStream; text: () => string } {
  let written = "";
  return { stream: { write: (text) => (written += text), columns }, text: () => written };
}

test("live: one line, redrawn at most ten times a second, never wider than the terminal", () => {
  const { stream, text } = recorder(40);
  let clock = 0;
  const line = createLiveLine({ stream, live: true, now: () => clock });
  line.draw(["split 2/5", "no tuning, then the grid"], true);
  for (let i = 1; i <= 60; i++) {
    clock += 10;
    line.draw(["split 2/5", `step ${i}/60`, `${60 - i} s left`, "outer 0.3457", "inner 0.3123"]);
  }
  line.clear();
  const frames = text().split("\r\u001b[2K").slice(1);
  // The forced first frame, one per 100 ms of the 600 ms, and the cleared line at the end.
  expect(frames).toHaveLength(1 + 6 + 1);
  expect(text()).not.toContain("\n");
  expect(frames.at(-1)).toBe("");
  for (const frame of frames) expect(displayWidth(frame)).toBeLessThan(40);
  expect(frames[1]).toMatch(/^split 2\/5 · step 10\/60 · 50 s left/);
});

test("elsewhere: plain lines without control characters, nothing is drawn; quiet: nothing at all", () => {
  const { stream, text } = recorder();
  const line = createLiveLine({ stream, live: false });
  line.draw(["step 1/60"], true);
  line.say("column \u001b[31mred\u001b[0m\nhas 3 levels");
  line.clear();
  expect(text()).toBe("column [31mred[0m has 3 levels\n");
  const silent = createLiveLine({ stream, live: true, quiet: true });
  silent.draw(["step 2/60"], true);
  silent.say("note");
  silent.clear();
  expect(text()).toBe("column [31mred[0m has 3 levels\n");
});

test("a line of its own clears the live line first, and is wrapped", () => {
  const { stream, text } = recorder(20);
  const line = createLiveLine({ stream, live: true, now: () => 0 });
  line.draw(["split 1/1"]);
  line.say("a note that takes more than a line");
  expect(text()).toBe("\r\u001b[2Ksplit 1/1\r\u001b[2Ka note that takes\nmore than a line\n");
});

test("pieces are dropped whole, the first one is cut", () => {
  const parts = ["split 2/5", "step 3/60", "57 s left", "gradient 0.00123"];
  expect(fitParts(parts, 24)).toBe("split 2/5 · step 3/60");
  expect(fitParts(parts, 5)).toBe("split");
  expect(fitParts(parts, 200)).toContain("gradient 0.00123");
});
