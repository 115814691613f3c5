/** Rewrites that save passes over large arrays keep the numbers, up to rounding, and do what they are for. */
import { grad, jvp, lax, numpy as np, vmap } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { walk } from "../../src/program/ir.ts";
import {
  ArraySpec,
  compile,
  type JaxFunction,
  Program,
  tensor,
  type Tensor,
  toOnnx,
} from "../../src/program/index.ts";
import { distance, seed, wave } from "./convolution-cases.ts";
import { eager } from "./jax-eager.ts";

async function run(fn: JaxFunction, ...args: Tensor[]): Promise<Tensor> {
  const compiled = compile(fn);
  const result = (await compiled(...args)) as unknown as Tensor;
  await compiled.dispose();
  return result;
}

/** Primitives of a function's program after our passes, as often as they occur. */
function primitives(fn: JaxFunction, ...args: Tensor[]): string[] {
  const program = new Program("function");
  const values = args.map((arg, i) => program.input(`x${i}`, arg));
  program.output("y", program.call(fn, ...values));
  return [...walk(program.block())].flatMap((one) => (one.kind === "apply" ? [one.primitive] : []));
}

const model = (fn: JaxFunction, ...args: Tensor[]): string =>
  Buffer.from(
    toOnnx(
      fn,
      args.map(({ shape, dtype }) => new ArraySpec(shape, dtype)),
    ),
  ).toString("latin1");

describe("a value with a derivative of its own choice", () => {
  const weighted = (x: np.Array): np.Array =>
    np.floor(x).add(x.sub(lax.stopGradient(x)).mul(3).add(1));
  const slope = (x: np.Array): np.Array =>
    grad((x: np.Array) => np.sum(np.sin(weighted(x))))(x) as np.Array;
  const x = tensor([0.5, -1.25, 7, Infinity, -Infinity], { dtype: "float64" });

  test("is computed without the term that is 0", async () => {
    expect([...(await run(weighted, x)).data]).toEqual([1, -1, 8, Infinity, -Infinity]);
    expect(primitives(weighted, x)).not.toContain("sub");
    expect(primitives(weighted, x)).not.toContain("mul");
  });

  test("has that derivative", async () => {
    const { data } = await run(slope, x);
    [1, -1, 8].forEach((value, i) => expect(data[i]).toBeCloseTo(3 * Math.cos(value), 14));
  });

  test("a sum of such terms is 0 too", async () => {
    const summed = (x: np.Array): np.Array =>
      np.sum(x.sub(lax.stopGradient(x)).mul(np.exp(x))).add(2);
    expect((await run(summed, x)).item()).toBe(2);
    expect(primitives(summed, x)).not.toContain("reduce");
  });

  test("x − x by itself still tells finite numbers from others", async () => {
    const { data } = await run((x: np.Array) => x.sub(x), x);
    expect([...data]).toEqual([0, 0, 0, NaN, NaN]);
  });

  test("so is a multiple of sums and differences of such terms", async () => {
    const change = (x: np.Array): np.Array => x.sub(lax.stopGradient(x));
    const chosen = (x: np.Array): np.Array =>
      np.floor(x).add(
        change(np.sin(x))
          .sub(change(x))
          .add(change(np.exp(x)))
          .mul(2),
      );
    expect([...(await run(chosen, x)).data]).toEqual([0, -2, 7, Infinity, -Infinity]);
    expect(primitives(chosen, x)).not.toContain("sin");
    const slope = (x: np.Array): np.Array =>
      grad((x: np.Array) => np.sum(chosen(x)))(x) as np.Array;
    const { data } = await run(slope, x);
    [0.5, -1.25, 7].forEach((v, i) =>
      expect(data[i]! / (2 * (Math.cos(v) - 1 + Math.exp(v)))).toBeCloseTo(1, 13),
    );
  });
});

describe("an array of equal numbers", () => {
  const x = wave([3, 4000], 0, "float32");
  const shifted = (x: np.Array): np.Array =>
    np.concatenate([x, np.full([2, 4000], 0.5)], 0).add(np.full([5, 4000], -2));

  test("is one number in the program", async () => {
    expect(model(shifted, x).length).toBeLessThan(2000);
    const { data } = await run(shifted, x);
    const wanted = [...Array.from(x.data, (v) => Math.fround(v - 2)), ...Array(8000).fill(-1.5)];
    expect([...data]).toEqual(wanted);
  });

  test("made twice is computed with once", () => {
    const twice = (x: np.Array): np.Array =>
      np
        .sum(np.exp(x.mul(np.full([3, 4000], 3))))
        .add(np.min(np.exp(x.mul(np.full([3, 4000], 3)))));
    expect(primitives(twice, x).filter((name) => name === "exp")).toHaveLength(1);
  });
});

describe("what is not differentiated", () => {
  const product = (x: np.Array, w: np.Array, v: np.Array): np.Array =>
    jvp((w: np.Array) => grad((w: np.Array) => np.sum(cube(np.matmul(x, w))))(w), [w], [v])[1];
  const cube = (y: np.Array): np.Array => y.mul(y).mul(y);
  const args = [wave([6, 4], 0, "float64"), wave([4], 1, "float64"), wave([4], 2, "float64")];

  test("has no tangent in the program, and no array of zeros", async () => {
    // Xᵀ(6·Xw ⊙ Xv): the products Xw, Xv and Xᵀ(…).
    expect(primitives(product, ...args).filter((name) => name === "dot")).toHaveLength(3);
    expect(model(product, ...args).length).toBeLessThan(3000);
    const [x, w, v] = args.map(({ data }) => Array.from(data, Number));
    const rows = Array.from({ length: 6 }, (_, i) => x!.slice(4 * i, 4 * i + 4));
    const dot = (a: number[], b: number[]): number => a.reduce((sum, p, k) => sum + p * b[k]!, 0);
    const wanted = w!.map((_, k) =>
      rows.reduce((sum, row) => sum + 6 * dot(row, w!) * dot(row, v!) * row[k]!, 0),
    );
    const { data } = await run(product, ...args);
    wanted.forEach((value, k) => expect(data[k]).toBeCloseTo(value, 12));
  });

  test("an array of zeros is made where it is needed, not embedded", async () => {
    const fn = (x: np.Array): np.Array => np.concatenate([np.zeros([5000]), x]);
    const x = tensor([1, 2]);
    expect(model(fn, x).length).toBeLessThan(2000);
    const { data } = await run(fn, x);
    expect([data.length, ...data.slice(4998)]).toEqual([5002, 0, 0, 1, 2]);
  });
});

test("the derivative of s·x² passes over x once for both of its terms", async () => {
  const slope = (x: np.Array, s: np.Array, t: np.Array): np.Array =>
    grad((x: np.Array) => np.sum(np.square(x).mul(s).add(x.mul(t))))(x) as np.Array;
  const [x, s, t] = [
    [3, 4, 5],
    [4, 1],
    [3, 4, 5],
  ].map((shape, i) => wave(shape, i, "float64"));
  const wanted = Array.from(x!.data, (value, i) => {
    const row = Math.floor(i / 5) % 4;
    return 2 * Number(s!.data[row]) * Number(value) + Number(t!.data[i]);
  });
  const { data } = await run(slope, x!, s!, t!);
  wanted.forEach((value, i) => expect(Math.abs(Number(data[i]) - value)).toBeLessThan(1e-15));
  expect(primitives(slope, x!, s!, t!).filter((name) => name === "add")).toHaveLength(1);
});

describe("reductions over windows that do not overlap", () => {
  const shapes = fc.record({
    lead: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    rows: fc.integer({ min: 1, max: 4 }),
    columns: fc.integer({ min: 1, max: 4 }),
    window: fc.constantFrom([2, 2], [4, 2], [1, 2], [3, 2]),
    op: fc.constantFrom("max", "sum", "min"),
  });

  test("are those of jax-js", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ lead, rows, columns, window, op }) => {
        const [r, c] = window as [number, number];
        const x = wave([...lead, rows, r, columns, c], 0, "float32");
        const reduce = { max: np.max, sum: np.sum, min: np.min }[op]!;
        const axes = [lead.length + 1, lead.length + 3];
        const fn = (x: np.Array): np.Array => reduce(x, axes) as np.Array;
        const tolerance = op === "sum" ? 8 * 2 ** -23 : 0;
        expect(distance(await run(fn, x), eager(fn, x) as Tensor)).toBeLessThanOrEqual(tolerance);
      }),
      { seed, numRuns: 40 },
    );
  });

  test("are poolings", () => {
    const x = wave([2, 3, 4, 2, 5, 2], 0, "float32");
    const over =
      (reduce: typeof np.max) =>
      (x: np.Array): np.Array =>
        reduce(x, [3, 5]) as np.Array;
    expect(model(over(np.max), x)).toContain("MaxPool");
    expect(model(over(np.sum), x)).toContain("AveragePool");
  });
});

test("sums over alternating axes are those of jax-js", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 6 }),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      fc.constantFrom(np.sum, np.max),
      async (shape, flags, reduce) => {
        const axes = shape.flatMap((_, axis) => (flags[axis] ? [axis] : []));
        const x = wave(shape, 0, "float64");
        const fn = (x: np.Array): np.Array => reduce(x, axes) as np.Array;
        expect(distance(await run(fn, x), eager(fn, x) as Tensor)).toBeLessThan(1e-12);
      },
    ),
    { seed, numRuns: 40 },
  );
});

describe("without optimizations", () => {
  /** Windows, alternating axes, choices of constants, repeats beside short axes, filter gradients over tasks. */
  const everything = (w: np.Array, x: np.Array): np.Array => {
    const energy = (w: np.Array): np.Array => {
      const task = (x: np.Array): np.Array => lax.conv(x, w, [2, 2], "SAME");
      const y = vmap(task)(x) as np.Array;
      const [t, n, c, h, width] = y.shape as [number, number, number, number, number];
      const windows = y.reshape([t * n, c, h / 2, 2, width / 2, 2]);
      const top = np.max(windows, [3, 5]).reshape([t * n, c, h / 2, 1, width / 2, 1]);
      const mask = lax.stopGradient(np.where(np.equal(windows, top), 1, 0) as np.Array);
      return np.sum(np.square(np.sum(windows.mul(mask), [3, 5]))).add(np.sum(np.cos(y)));
    };
    return grad(energy)(w);
  };
  const args = [wave([10, 9, 3, 3], 1, "float32"), wave([3, 8, 9, 16, 16], 0, "float32")] as const;
  const specs = args.map(({ shape, dtype }) => new ArraySpec(shape, dtype));
  const text = (optimize: boolean): string =>
    Buffer.from(toOnnx(everything, specs, { optimize })).toString("latin1");

  test("the plainest forms are written", () => {
    for (const form of ["MaxPool", "AveragePool"]) {
      expect(text(true)).toContain(form);
      expect(text(false)).not.toContain(form);
    }
    expect(text(false)).toContain("Where");
    expect(text(true)).not.toContain("Where");
  });

  test("the numbers are the same up to rounding", async () => {
    const results = [true, false].map(async (optimize) => {
      const compiled = compile(everything, { optimize, blockedKernels: false });
      const result = (await compiled(...args)) as unknown as Tensor;
      await compiled.dispose();
      return result;
    });
    const [fast, plain] = await Promise.all(results);
    const scale = Math.max(...Array.from(plain!.data, (value) => Math.abs(Number(value))));
    expect(scale).toBeGreaterThan(1);
    expect(distance(fast!, plain!)).toBeLessThan(1e-5 * scale);
  });
});

describe.each(["float32", "float64"] as const)(
  "the gradient of a filter that tasks share, %s",
  (dtype) => {
    test.each([
      ["stride 1", [1, 1], [2, 9, 5, 6, 5]],
      ["stride 2", [2, 2], [3, 2, 9, 7, 6]],
      ["few channels", [1, 2], [4, 3, 1, 6, 6]],
      ["one channel and many places", [1, 1], [2, 3, 1, 9, 9]],
    ] as const)("%s", async (_, strides, shape) => {
      const loss = (w: np.Array, x: np.Array): np.Array => {
        const task = (x: np.Array): np.Array => lax.conv(x, w, [...strides], "SAME");
        const y = vmap(task)(x) as np.Array;
        return np.sum(np.square(y).mul(y));
      };
      const slope = (w: np.Array, x: np.Array): np.Array =>
        grad((w: np.Array) => loss(w, x))(w) as np.Array;
      const args = [wave([10, shape[2], 3, 3], 1, dtype), wave([...shape], 0, dtype)] as const;
      const wanted = eager(slope, ...args) as Tensor;
      // Rounding of some hundred terms, against the largest number.
      const scale = Math.max(...Array.from(wanted.data, (value) => Math.abs(Number(value))));
      const tolerance = scale * (dtype === "float64" ? 1e-14 : 1e-5);
      expect(distance(await run(slope, ...args), wanted)).toBeLessThan(tolerance);
    });
  },
);
