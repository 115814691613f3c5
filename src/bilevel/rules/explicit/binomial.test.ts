/** The schedule against the optimum found by exhaustion, its closed form, and what it claims to hold. */
import { describe, expect, test } from "vitest";
import { binomialSchedule, type BinomialSchedule } from "./binomial.ts";

/** Fewest advances that reverse `steps` steps with `slots` slots, by trying every first checkpoint. */
function fewestAdvances(steps: number, slots: number, known = new Map<string, number>()): number {
  if (steps === 1) return 0;
  if (slots === 1) return (steps * (steps - 1)) / 2;
  const key = `${steps},${slots}`;
  let best = known.get(key) ?? Infinity;
  if (best < Infinity) return best;
  for (let m = 1; m < steps; m++) {
    const rest = fewestAdvances(steps - m, slots - 1, known);
    best = Math.min(best, m + rest + fewestAdvances(m, slots, known));
  }
  known.set(key, best);
  return best;
}

function binomial(n: number, k: number): number {
  return k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k;
}

/** Row t of the schedule for t = T..1, without the free slots. */
function rowsOf({ from, first, count, placed }: BinomialSchedule): number[][] {
  const rows: number[][] = [];
  let row = [0];
  for (let i = from.length - 1; i >= 0; i--) {
    row = [...row.slice(0, from[i]! + 1), ...placed.slice(first[i], first[i]! + count[i]!)];
    rows.push(row);
  }
  return rows.reverse();
}

describe("binomial schedule", () => {
  test("no schedule makes fewer evaluations", () => {
    const known = new Map<string, number>();
    for (let steps = 1; steps <= 48; steps++) {
      for (let slots = 1; slots <= 8; slots++) {
        // The last step is made once more than it is passed: it gives the answer.
        const fewest = 1 + fewestAdvances(steps, slots, known);
        expect(binomialSchedule(steps, slots).evaluations).toBe(fewest);
      }
    }
  });

  test.each([
    [10, 3],
    [35, 4],
    [36, 4],
    [252, 5],
    [1000, 5],
    [1000, 10],
    [3000, 2],
  ])("%i steps, %i slots: 1 + r·T − binomial(c + r, c + 1) evaluations", (steps, slots) => {
    let r = 1;
    while (binomial(slots + r, slots) < steps) r++;
    const expected = 1 + r * steps - binomial(slots + r, slots + 1);
    expect(binomialSchedule(steps, slots).evaluations).toBe(expected);
  });

  test("enough slots: nothing is made twice", () => {
    for (const slots of [9, 10, 1000]) {
      expect(binomialSchedule(10, slots).evaluations).toBe(10);
      expect(binomialSchedule(10, slots).width).toBe(9);
    }
  });

  // One frame a slot would be too deep for the call stack, and rows of their own too much for the memory.
  test.each([19_999, 10_000, 200])("20,000 steps, %i slots: some 4T numbers", (slots) => {
    const steps = 20_000;
    const { width, placed, evaluations } = binomialSchedule(steps, slots);
    expect(width).toBeLessThanOrEqual(slots);
    expect(placed.length).toBeLessThan(steps);
    let r = 1;
    while (binomial(slots + r, r) < steps) r++;
    expect(evaluations).toBe(1 + r * steps - binomial(slots + r, r - 1));
  });

  test.each([
    [1, 1],
    [7, 1],
    [23, 3],
    [40, 4],
    [64, 6],
  ])(
    "%i steps, %i slots: followed literally, every state is there when it is due",
    (steps, slots) => {
      const schedule = binomialSchedule(steps, slots);
      const { width, from, evaluations } = schedule;
      const positions = rowsOf(schedule);
      expect(width).toBeLessThanOrEqual(slots);
      // A state is its step count.
      const held = new Array<number>(width).fill(NaN);
      let made = 0;
      const advance = (start: number, end: number, row: readonly number[]): number => {
        for (let p = start; p < end; p++) {
          row.forEach((position, k) => {
            if (position === p) held[k] = p;
          });
          made++;
        }
        return end;
      };
      advance(0, steps - 1, positions[steps - 1]!);
      made++;
      for (let t = steps - 1; t >= 1; t--) {
        const row = positions[t - 1]!;
        const start = held[from[t - 1]!]!;
        expect(start).toBe(row[from[t - 1]!]);
        expect(advance(start, t - 1, row)).toBe(t - 1);
      }
      expect(made).toBe(evaluations);
    },
  );
});
