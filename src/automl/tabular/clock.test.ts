import { expect, test } from "vitest";
import { BudgetClock } from "./clock.ts";

/** A clock whose time the test sets, in seconds. */
function manual(options: { budgetSeconds?: number; steps: number }): {
  clock: BudgetClock;
  at: (seconds: number) => void;
} {
  let now = 5000;
  const clock = new BudgetClock(options, () => now);
  return {
    clock,
    at: (seconds) => {
      now = 5000 + 1000 * seconds;
    },
  };
}

test("without a budget there is always time", () => {
  const { clock, at } = manual({ steps: 10 });
  at(1e6);
  expect(clock.elapsedSeconds).toBe(1e6);
  expect(clock.hasTimeForSplit()).toBe(true);
  expect(clock.secondsForSearch()).toBeUndefined();
});

test("an ample budget is shared evenly after the baselines of the splits to come", () => {
  const { clock, at } = manual({ budgetSeconds: 100, steps: 10 });
  clock.startSplit(5);
  clock.finishMethod({ role: "baseline" }, true, 0.5, 0);
  clock.finishMethod({ role: "baseline" }, false, 1.5, 0);
  at(2);
  // 97 s usable, 2 spent, 1 kept for the model; four more splits need 2 s of baselines each.
  expect(clock.secondsForSearch()).toBeCloseTo((97 - 2 - 1 - 4 * 2) / 5, 9);
});

test("a scarce budget gives up splits rather than searches", () => {
  const { clock, at } = manual({ budgetSeconds: 20, steps: 10 });
  clock.startSplit(5);
  clock.finishMethod({ role: "baseline" }, true, 0.5, 0);
  clock.finishMethod({ role: "baseline" }, false, 2.5, 0);
  at(3);
  // 19.4 − 3 − 1 = 15.4 left: two splits leave (15.4 − 3)/2 = 6.2 ≥ 2·3 for each search, three do not.
  expect(clock.secondsForSearch()).toBeCloseTo(6.2, 9);
  at(9.2);
  clock.finishMethod({ role: "search" }, false, 6.2, 11);
  expect(clock.hasTimeForSplit()).toBe(true);
  clock.startSplit(4);
  at(12.2);
  clock.finishMethod({ role: "baseline" }, true, 0.5, 0);
  clock.finishMethod({ role: "baseline" }, false, 2.5, 0);
  expect(clock.secondsForSearch()).toBeCloseTo(6.2, 9);
  at(18.4);
  expect(clock.hasTimeForSplit()).toBe(false);
});

test("a budget that the baselines used up still leaves some time for the search", () => {
  const { clock, at } = manual({ budgetSeconds: 1, steps: 10 });
  clock.startSplit(3);
  at(4);
  clock.finishMethod({ role: "baseline" }, true, 1, 0);
  clock.finishMethod({ role: "baseline" }, false, 3, 0);
  expect(clock.secondsForSearch()).toBe(2);
  expect(clock.hasTimeForSplit()).toBe(false);
});

test("the time left is that of the steps and splits to come, within the budget", () => {
  const { clock, at } = manual({ steps: 10 });
  clock.startSplit(2);
  clock.finishMethod({ role: "baseline" }, true, 1, 0);
  clock.finishMethod({ role: "baseline" }, false, 2, 0);
  at(3 + 5);
  // Five evaluations in 5 s: 6 steps here, then 3 s of baselines and 11 evaluations.
  expect(clock.remainingSeconds(4, 1)).toBeCloseTo(6 + 3 + 11, 9);
  expect(clock.remainingSeconds(10, 0)).toBe(0);
  const tight = manual({ budgetSeconds: 10, steps: 10 });
  tight.at(8);
  expect(tight.clock.remainingSeconds(1, 5)).toBeCloseTo(9.7 - 8, 9);
});

test("a budget that is overrun is said with its numbers, a little more than it is not", () => {
  const { clock, at } = manual({ budgetSeconds: 20, steps: 10 });
  for (const seconds of [3, 20, 22]) {
    at(seconds);
    expect(clock.overrun(1)).toBeUndefined();
  }
  at(41);
  expect(clock.overrun(12)).toMatch(/^The run took 41 s where its time budget is 20 s: .*\(12 s\)/);
  const short = manual({ budgetSeconds: 0.5, steps: 10 });
  short.at(1.4);
  expect(short.clock.overrun(1)).toBeUndefined();
  short.at(1.6);
  expect(short.clock.overrun(1)).toMatch(/took 1\.6 s where its time budget is 0\.50 s/);
  const free = manual({ steps: 10 });
  free.at(1e6);
  expect(free.clock.overrun(1)).toBeUndefined();
});
