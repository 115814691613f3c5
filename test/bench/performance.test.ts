/**
 * Both sides of `npm run bench` compute the same hypergradient, on a small instance of each case. Needs a Python with
 * torch (STACKELBERG_PYTHON or /usr/bin/python3).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { drawInputs } from "../../bench/performance/case.ts";
import { cases } from "../../bench/performance/cases.ts";
import { hasTorch, python, type Side, startOurs, startPeer } from "../../bench/performance/side.ts";

const isThere = hasTorch();
const title = isThere ? "PyTorch agrees" : `PyTorch agrees (skipped: ${python} has no torch)`;

describe.skipIf(!isThere)(title, () => {
  let sides: { ours: Side; peer: Side };
  beforeAll(() => {
    sides = { ours: startOurs(1), peer: startPeer(1) };
  });
  afterAll(() => {
    sides.ours.stop();
    sides.peer.stop();
  });

  // Float32 rounding of sums in another order, through a few steps and batch normalizations of few images.
  test.each(cases.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const inputs = drawInputs(one, one.small);
    const gradient = async (side: Side): Promise<number[][]> => {
      await side.open(name, inputs, one.small["steps"]);
      return side.gradient();
    };
    const ours = await gradient(sides.ours);
    const wanted = await gradient(sides.peer);
    expect(ours.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
    const actual = ours.flat();
    const error = Math.hypot(...wanted.flat().map((g, i) => g - actual[i]!));
    expect(error).toBeLessThan(2e-4 * Math.hypot(...wanted.flat()));
  });
});
