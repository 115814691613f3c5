/** Loops of known length against the same loops in plain JavaScript, optimized and not. */
import { init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";

import type { Value } from "../../src/program/ir.ts";
import { Program } from "../../src/program/program.ts";
import { ArraySpec } from "../../src/program/trace/trace.ts";
import { type Tensor, tensor } from "../../src/program/tensors/tensor.ts";
import { float64, loopsOf, numbers, run } from "./run-program.ts";

beforeAll(() => init("cpu"));

describe("scan", () => {
  const xs = [0.5, -1.25, 2, 0.75];
  /** carry ← 0.9 · carry + x · (t + 1); y = carry². */
  function recurrence(reverse: boolean): { carry: number; ys: number[] } {
    const ys: number[] = [];
    let carry = 0.25;
    const order = xs.map((_, t) => (reverse ? xs.length - 1 - t : t));
    for (const t of order) {
      carry = 0.9 * carry + xs[t]! * (t + 1);
      ys[t] = carry * carry;
    }
    return { carry, ys };
  }

  test.each([false, true])("a recurrence with slices and index, reverse=%s", async (reverse) => {
    const program = new Program();
    const input = program.input("in", { start: float64([0.25]), xs: float64(xs) });
    const [carry, ys] = program.scan(
      { length: 4, reverse },
      (state: Value, x: Value, index) => {
        const next = program.call(
          (s: np.Array, a: np.Array, t: np.Array) =>
            s.mul(0.9).add(a.mul(t.astype(np.float64).add(1))),
          state,
          x,
          index,
        );
        return [next, program.call((s: np.Array) => np.square(s), next)];
      },
      input.start,
      input.xs as never,
    );
    program.output("carry", carry);
    program.output("ys", ys);
    const found = await run(program, { in: { start: float64([0.25]), xs: float64(xs) } });
    const expected = recurrence(reverse);
    expect(numbers(found["carry"]!)[0]).toBeCloseTo(expected.carry, 14);
    numbers(found["ys"]!).forEach((y, t) => expect(y).toBeCloseTo(expected.ys[t]!, 13));
    expect((found["ys"] as Tensor).shape).toEqual([4, 1]);
  });

  test.each([0, 1])("length %i", async (length) => {
    const program = new Program();
    const start = program.input("start", float64([3]));
    const data = program.input("xs", new ArraySpec([length, 2], "float64"));
    const [carry, ys] = program.scan(
      { length },
      (state: Value, x: Value) => [
        program.call((s: np.Array) => s.mul(2), state),
        { sum: program.call((s: np.Array, a: np.Array) => s.add(np.sum(a)), state, x), x },
      ],
      start,
      data as never,
    );
    program.output("carry", carry);
    program.output("ys", ys);
    const given = tensor(
      Float64Array.from({ length: 2 * length }, (_, i) => i + 1),
      {
        shape: [length, 2],
      },
    );
    const found = await run(program, { start: float64([3]), xs: given });
    expect(numbers(found["carry"]!)).toEqual([length === 0 ? 3 : 6]);
    const y = found["ys"] as { sum: Tensor; x: Tensor };
    expect(y.sum.shape).toEqual([length, 1]);
    expect(numbers(y.sum)).toEqual(length === 0 ? [] : [6]);
    expect(y.x).toEqual(given);
  });

  test("nested loops, with values from every level", async () => {
    const program = new Program();
    const outer = program.input("outer", tensor(2));
    const [total] = program.scan(
      { length: 3 },
      (sum: Value, _: never, i) => {
        const step = program.call((a: np.Array, t: np.Array) => a.mul(t.add(1)), outer, i);
        const [inner] = program.scan(
          { length: 4 },
          (partial: Value, __: never, j) => [
            program.call(
              (p: np.Array, s: np.Array, t: np.Array, a: np.Array) => p.add(s.mul(t)).add(a),
              partial,
              step,
              j,
              outer,
            ),
            [],
          ],
          sum,
        );
        return [inner, []];
      },
      program.constant(tensor(0)),
    );
    program.output("total", total);
    const found = await run(program, { outer: tensor(2) });
    let expected = 0;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 4; j++) expected += 2 * (i + 1) * j + 2;
    expect(numbers(found["total"]!)).toEqual([expected]);
  });

  test("no carry, no stacked output, and neither used", async () => {
    const program = new Program();
    const data = program.input("xs", {
      a: tensor([1, 2, 3]),
      b: [
        tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      ],
    });
    const [none, doubled] = program.scan(
      { length: 3 },
      (carry: [], x: { a: Value; b: [Value] }) => [
        carry,
        program.call((a: np.Array, b: np.Array) => b.mul(a), x.a, x.b[0]),
      ],
      [],
      data as never,
    );
    expect(none).toEqual([]);
    const [last, nothing] = program.scan(
      { length: 3 },
      ({ kept, unused }: { kept: Value; unused: Value }) => [
        {
          kept: program.call((k: np.Array) => k.add(1), kept),
          unused: program.call((u: np.Array) => u.mul(2), unused),
        },
        [],
      ],
      { kept: program.constant(tensor(0)), unused: program.constant(tensor(1)) },
    );
    expect(nothing).toEqual([]);
    program.output("doubled", doubled);
    program.output("kept", last.kept);
    const found = await run(program, {
      xs: {
        a: tensor([1, 2, 3]),
        b: [
          tensor([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
        ],
      },
    });
    expect(numbers(found["doubled"]!)).toEqual([1, 2, 6, 8, 15, 18]);
    expect(numbers(found["kept"]!)).toEqual([3]);
    // The carry that nobody reads is gone.
    const [, scan] = loopsOf(program.block()).map((loop) => loop.outputs.length);
    expect(scan).toBe(1);
  });

  test("misuse says what was required", () => {
    const program = new Program();
    const start = program.input("start", tensor([1, 2]));
    const same = (carry: Value): [Value, []] => [carry, []];
    expect(() => program.scan({ length: 1.5 }, same, start)).toThrow(
      "Program.scan: length must be a whole number ≥ 0, got 1.5.",
    );
    expect(() => program.scan({ length: 3 }, same, start, start)).toThrow(
      "Program.scan: stacked inputs need a first axis of length 3, got float32[2].",
    );
    const sum = (carry: Value): [Value, []] => [
      program.call((c: np.Array) => np.sum(c), carry),
      [],
    ];
    expect(() => program.scan({ length: 3 }, sum, start)).toThrow(
      "Program.scan: carry leaf 0 starts as float32[2] but the body returns float32[]; cast or reshape it.",
    );
    const pair = (carry: Value): [Value, []] => [[carry, carry] as never, []];
    expect(() => program.scan({ length: 3 }, pair, start)).toThrow(
      "Program.scan: the body must return a carry like the initial one",
    );
  });
});
