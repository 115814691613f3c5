/** Loops with a condition, and what leaves a loop's body because it does not change. */
import { init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";

import type { Block, Value } from "../../src/program/ir.ts";
import { Program } from "../../src/program/program.ts";
import { type Tensor, tensor } from "../../src/program/tensors/tensor.ts";
import { loopsOf, numbers, run } from "./run-program.ts";

beforeAll(() => init("cpu"));

describe("while", () => {
  /** Halves until ≤ 1. */
  function halving(limit: number): Program {
    const program = new Program();
    const start = program.input("start", tensor(0));
    const { carry, steps } = program.while(
      { limit },
      (x: Value) => program.call((a: np.Array) => a.greater(1), x),
      (x: Value, index) =>
        program.call(
          (a: np.Array, t: np.Array) => a.div(2).add(t.mul(0).astype(np.float32)),
          x,
          index,
        ),
      start,
    );
    program.output("carry", carry);
    program.output("steps", steps);
    return program;
  }

  test.each([
    { start: 40, limit: 100, carry: 0.625, steps: 6 },
    { start: 40, limit: 3, carry: 5, steps: 3 },
    { start: 0.5, limit: 100, carry: 0.5, steps: 0 },
    { start: 40, limit: 0, carry: 40, steps: 0 },
  ])("from $start, limit $limit: $steps iterations", async ({ start, limit, carry, steps }) => {
    const found = await run(halving(limit), { start: tensor(start) });
    expect(numbers(found["carry"]!)).toEqual([carry]);
    expect(numbers(found["steps"]!)).toEqual([steps]);
    expect((found["steps"] as Tensor).dtype).toBe("int32");
  });

  test("misuse says what was required", () => {
    const program = new Program();
    const start = program.input("start", tensor([1, 2]));
    const same = (x: Value): Value => x;
    expect(() => program.while({ limit: -1 }, same, same, start)).toThrow(
      "Program.while: limit must be a whole number ≥ 0, got -1.",
    );
    expect(() => program.while({ limit: 3 }, same, same, start)).toThrow(
      "Program.while: the condition must be a boolean scalar, got float32[2].",
    );
  });
});

describe("work that does not change", () => {
  /** Power iteration with a matrix made of outer values in every iteration. */
  function powers(): Program {
    const program = new Program();
    const { root, x } = program.input("in", {
      root: tensor([
        [1, 0.5],
        [0.25, 2],
      ]),
      x: tensor([1, 1]),
    });
    const [last] = program.scan(
      { length: 5 },
      (state: Value) => [
        program.call(
          (r: np.Array, s: np.Array) => {
            const matrix = np.exp(np.dot(np.transpose(r), r).mul(0.25)).add(np.eye(2));
            const next = np.dot(matrix, s);
            return next.div(np.max(next));
          },
          root,
          state,
        ),
        [],
      ],
      x,
    );
    program.output("last", last);
    return program;
  }

  test("leaves the loop, and the numbers stay", async () => {
    const program = powers();
    const root = tensor([
      [1, 0.5],
      [0.25, 2],
    ]);
    const found = await run(program, { in: { root, x: tensor([1, 1]) } });
    expect(numbers(found["last"]!).every(Number.isFinite)).toBe(true);
    const names = (block: Block): string[] =>
      loopsOf(block).flatMap(({ body }) =>
        body.operations.map((each) => (each.kind === "apply" ? each.primitive : each.kind)),
      );
    const [optimized, plain] = [names(program.block()), names(program.block({ optimize: false }))];
    expect(plain).toContain("exp");
    expect(plain.filter((name) => name === "dot")).toHaveLength(2);
    expect(optimized).not.toContain("exp");
    expect(optimized.filter((name) => name === "dot")).toHaveLength(1);
    expect(optimized.length).toBeLessThan(plain.length / 2);
  });
});
