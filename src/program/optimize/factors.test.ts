import { numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Apply, walk } from "../ir.ts";
import { compile, Program, tensor, type Tensor } from "../index.ts";

const wave = (n: number, phase: number): Tensor =>
  tensor(Float64Array.from({ length: n }, (_, i) => 0.3 + Math.sin(phase + 1.7 * i)));

/** The program of three steps x ← f(x, y), and what its body computes at each. */
function loop(f: (x: np.Array, y: np.Array) => np.Array): { program: Program; body: string[] } {
  const program = new Program("loop");
  const x = program.input("x", wave(5, 0));
  const y = program.input("y", wave(5, 1));
  const [last] = program.scan({ length: 3 }, (x) => [program.call(f, x, y), []], x);
  program.output("x", last);
  const operations = [...walk(program.block())];
  const scan = operations.find((operation) => operation.kind === "scan");
  const inside = scan?.kind === "scan" ? scan.body.operations : [];
  const applied = inside.filter((operation): operation is Apply => operation.kind === "apply");
  return { program, body: applied.map(({ primitive }) => primitive) };
}

describe("in a loop", () => {
  test("signs and constants are multiplied with what the loop does not change", () => {
    expect(loop((x, y) => x.mul(y).mul(0.5).neg().mul(3)).body).toEqual(["mul"]);
    expect(loop((x, y) => x.neg().mul(y.mul(2))).body).toEqual(["mul"]);
    expect(loop((x, y) => x.mul(y).add(x.mul(y))).body).toEqual(["mul"]);
  });

  test("and taken out of sums of multiples", () => {
    expect(loop((x, y) => np.sin(x).mul(0.1).sub(np.cos(x).mul(0.1)).mul(y)).body).toEqual([
      ...["sin", "cos", "sub", "mul"],
    ]);
    expect(loop((x) => np.cos(x).add(np.sin(x).neg())).body.toSorted()).toEqual([
      ...["cos", "sin", "sub"],
    ]);
  });

  test("a square has the factor twice", async () => {
    const f = (x: np.Array, y: np.Array): np.Array => np.square(np.sin(x).mul(y).mul(0.5));
    const { program, body } = loop(f);
    expect(body).toEqual(["sin", "mul", "mul"]);
    const executable = await program.compile();
    const run = await executable.run({ x: wave(5, 0), y: wave(5, 1) });
    await executable.dispose();
    let wanted = [...wave(5, 0).data].map(Number);
    for (let step = 0; step < 3; step++) {
      wanted = wanted.map((x, i) => (0.5 * Math.sin(x) * Number(wave(5, 1).data[i])) ** 2);
    }
    wanted.forEach((value, i) => {
      expect(Number((run as { x: Tensor }).x.data[i])).toBeCloseTo(value, 15);
    });
  });

  test("but not where several read the product", () => {
    const { body } = loop((x) => {
      const half = np.sin(x).mul(0.5);
      return np.exp(half).add(np.cos(half));
    });
    expect(body.filter((name) => name === "mul")).toHaveLength(1);
  });
});

test("factors near the ends of the range stay", async () => {
  // Together they are 1; x·1e200·1e200 alone would overflow.
  const f = (x: np.Array): np.Array => x.mul(1e-200).mul(1e-200).mul(1e200).mul(1e200);
  const compiled = compile(f);
  const { data } = await compiled(tensor(Float64Array.of(1e150, 3e120)));
  await compiled.dispose();
  expect(data[0]! / 1e150).toBeCloseTo(1, 12);
  expect(data[1]! / 3e120).toBeCloseTo(1, 12);
});

/** A random expression in x, which the loop changes, and y, which it does not. */
type Expression =
  | { op: "x" | "y" }
  | { op: "constant"; value: number }
  | { op: "neg" | "sum" | "sin" | "twice" | "square"; of: Expression }
  | { op: "add" | "sub" | "mul"; of: Expression; and: Expression };

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.record({ op: fc.constantFrom("x" as const, "y" as const) }),
    fc.record({
      op: fc.constant("constant" as const),
      value: fc.constantFrom(-1, 2, 0.5, -0.25, 3, 0.01, 1e7),
    }),
    fc.record({
      op: fc.constantFrom(...(["neg", "sum", "sin", "twice", "square"] as const)),
      of: tie("expression"),
    }),
    fc.record({
      op: fc.constantFrom("add" as const, "sub" as const, "mul" as const),
      of: tie("expression"),
      and: tie("expression"),
    }),
  ),
}));

function evaluate(e: Expression, x: np.Array, y: np.Array): np.Array {
  switch (e.op) {
    case "x":
      return x;
    case "y":
      return y;
    case "constant":
      return np.array(e.value, { dtype: np.float64 });
    case "neg":
      return evaluate(e.of, x, y).neg();
    case "sin":
      return np.sin(evaluate(e.of, x, y));
    case "sum":
      return np.sum(evaluate(e.of, x, y));
    case "twice": {
      const value = evaluate(e.of, x, y);
      return value.add(value);
    }
    case "square": {
      const value = evaluate(e.of, x, y);
      return value.mul(value);
    }
    case "add":
      return evaluate(e.of, x, y).add(evaluate(e.and, x, y));
    case "sub":
      return evaluate(e.of, x, y).sub(evaluate(e.and, x, y));
    case "mul":
      return evaluate(e.of, x, y).mul(evaluate(e.and, x, y));
  }
}

test("the numbers are those of the program as it is, up to rounding", async () => {
  await fc.assert(
    fc.asyncProperty(expression, async (e) => {
      const program = new Program("loop");
      const x = program.input("x", wave(5, 0));
      const y = program.input("y", wave(5, 1));
      const value = (x: np.Array, y: np.Array): np.Array => np.zeros([5]).add(evaluate(e, x, y));
      const step = (x: typeof y): [typeof y, typeof y] => [
        program.call((x: np.Array) => np.cos(x), x),
        program.call(value, x, y),
      ];
      program.output("values", program.scan({ length: 3 }, step, x)[1]);
      const results = [true, false].map(async (optimize) => {
        const executable = await program.compile({ optimize });
        const run = await executable.run({ x: wave(5, 0), y: wave(5, 1) });
        await executable.dispose();
        return (run as { values: Tensor }).values.data;
      });
      const [fast, plain] = await Promise.all(results);
      const tolerance = 1e-14 * Math.max(1, magnitude(e));
      fast!.forEach((value, i) => {
        expect(Math.abs(Number(value) - Number(plain![i]))).toBeLessThan(tolerance);
      });
    }),
    { numRuns: 120, seed: 7 },
  );
});

/** A bound of the numbers that an expression passes through. */
function magnitude(e: Expression): number {
  switch (e.op) {
    case "x":
    case "y":
      return 1.3;
    case "constant":
      return Math.abs(e.value);
    case "neg":
      return magnitude(e.of);
    case "sin":
      // The argument has its own rounding error.
      return Math.max(1, magnitude(e.of));
    case "twice":
      return 2 * magnitude(e.of);
    case "square":
      return Math.max(1, magnitude(e.of)) ** 2;
    case "sum":
      return 5 * magnitude(e.of);
    case "mul":
      return Math.max(1, magnitude(e.of)) * Math.max(1, magnitude(e.and));
    default:
      return magnitude(e.of) + magnitude(e.and);
  }
}
