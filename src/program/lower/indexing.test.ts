/** Reading and writing by index arrays, and sorting: laws, against plain JavaScript, and the nodes used. */
import { grad, numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import {
  distance,
  eager as byRule,
  lowered,
  readyEager,
  sample,
} from "../../../test/program/eager.ts";
import { eager } from "../../../test/program/jax-eager.ts";
import { compile, toOnnx } from "../compile.ts";
import { ArraySpec } from "../trace/trace.ts";
import { sizeOf, type Tensor, tensor } from "../tensors/tensor.ts";

beforeAll(readyEager);

const int32 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: "int32", shape });

const dot = (a: Tensor, b: Tensor): number =>
  Array.from(a.data, (x, i) => x * b.data[i]!).reduce((sum, term) => sum + term, 0);

describe("reading and writing", () => {
  /** An array, the axes that are indexed, index arrays that broadcast, and where their axes go. */
  const cases = fc
    .record({
      shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      pick: fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }),
      indexed: fc.integer({ min: 1, max: 4 }),
      indexShape: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
      unit: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      outDim: fc.nat(10),
    })
    .map(({ shape, pick, indexed, indexShape, unit, outDim }) => {
      const rest = shape.map((_, axis) => axis);
      const count = Math.min(indexed, shape.length);
      const axis = pick.slice(0, count).map((each) => rest.splice(each % rest.length, 1)[0]!);
      const indices = axis.map((at, i) => {
        const own = indexShape.map((length, j) => (i > 0 && unit[2 * i + j] ? 1 : length));
        const values = Array.from(
          { length: sizeOf(own) },
          (_, k) => (7 * k + pick[i]!) % shape[at]!,
        );
        return int32(values, own);
      });
      const kept = rest.map((at) => shape[at]!);
      const position = outDim % (kept.length + 1);
      return {
        shape,
        axis,
        indices,
        outDim: position,
        result: kept.toSpliced(position, 0, ...indexShape),
      };
    });

  test("reading is jax-js's and writing its adjoint, ⟨read x, y⟩ = ⟨x, write y⟩", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, axis, indices, outDim, result }) => {
        const [x, y] = [sample(shape, "float64"), sample(result, "float64", 2)];
        const reading = { axis, outDim, uniqueIndices: false };
        const expected = byRule("gather", reading, [x, ...indices]);
        const [read] = await lowered("gather", reading, [x, ...indices], expected);
        expect(distance(read!, expected[0]!)).toBe(0);
        const writing = { ...reading, op: "add", shape };
        const [written] = await lowered("scatter", writing, [y, ...indices], [x]);
        expect(written!.shape).toEqual(shape);
        expect(dot(written!, x)).toBeCloseTo(dot(read!, y), 12);
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  test("the last of several writes to one place stays, whatever the number of threads", async () => {
    const count = 20_000;
    const updates = tensor(
      Float32Array.from({ length: 2 * count }, (_, i) => i),
      { shape: [count, 2] },
    );
    const at = int32(Array.from({ length: count }, (_, i) => i % 3));
    const params = { op: "update", shape: [3, 2], axis: [0], outDim: 0, uniqueIndices: false };
    for (const threads of [1, 2]) {
      const [found] = await lowered(
        "scatter",
        params,
        [updates, at],
        [{ shape: [3, 2], dtype: "float32" }],
        { threads },
      );
      expect(found!.toNested()).toEqual([19_998, 19_999, 19_997].map((i) => [2 * i, 2 * i + 1]));
    }
  });

  test("sums of many writes to few places are whole, whatever the number of threads", async () => {
    const count = 20_000;
    const at = int32(Array.from({ length: count }, (_, i) => i % 3));
    const updates = tensor(new Int32Array(count).fill(1));
    const params = { op: "add", shape: [3], axis: [0], outDim: 0, uniqueIndices: false };
    for (const threads of [1, 2]) {
      const [found] = await lowered(
        "scatter",
        params,
        [updates, at],
        [{ shape: [3], dtype: "int32" }],
        { threads },
      );
      expect(found!.toNested()).toEqual([6667, 6667, 6666]);
    }
  });

  test("reading rows of a table is one Gather", () => {
    const rows = (table: np.Array, at: np.Array): np.Array => np.take(table, at, 0);
    const model = toOnnx(rows, [new ArraySpec([9, 4], "float32"), new ArraySpec([5, 2], "int32")]);
    const text = Buffer.from(model).toString("latin1");
    // Written as `Gather_0`, the name of its output, and `Gather`, its operator; nothing else moves.
    expect(text.match(/Gather(?!_)/g)).toHaveLength(1);
    expect(text).not.toMatch(/GatherND|Transpose|Reshape|Cast/);
  });

  test("elements along an axis, and their derivative", async () => {
    const inputs = [sample([3, 5], "float64"), int32([4, 0, 1, 1, 2, 3], [3, 2])];
    const along = (x: np.Array, at: np.Array): np.Array => np.takeAlongAxis(x, at, 1);
    const derivative = (x: np.Array, at: np.Array): np.Array =>
      grad((y: np.Array) => np.sum(np.square(np.takeAlongAxis(y, at, 1))))(x) as np.Array;
    for (const fn of [along, derivative]) {
      const compiled = compile(fn);
      expect(distance(await compiled(...inputs), eager(fn, ...inputs) as Tensor)).toBeLessThan(
        1e-15,
      );
      await compiled.dispose();
    }
  });
});

describe("sorting", () => {
  const special = fc.constantFrom(NaN, Infinity, -Infinity, 0, 1, -1, 1e-40, 3e38, 2);

  test("is stable, with NaN behind the infinities, at any length", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(special, { minLength: 1, maxLength: 200 }), async (list) => {
        const x = tensor(Float32Array.from(list));
        const outputs = [x, int32(list.map(() => 0))];
        const [values, positions] = await lowered("argsort", {}, [x], outputs);
        const rank = (value: number): number =>
          Number.isNaN(value) ? 2 : value === Infinity ? 1 : 0;
        const order = list
          .map((_, i) => i)
          .sort((i, j) => {
            const [a, b] = [x.data[i]!, x.data[j]!];
            return rank(a) - rank(b) || (rank(a) ? 0 : a - b) || i - j;
          });
        expect(Array.from(positions!.data)).toEqual(order);
        expect(Array.from(values!.data)).toEqual(order.map((i) => x.data[i]!));
      }),
      { numRuns: 25, seed: 5 },
    );
  });

  test("10,000 elements with many ties, on two threads", async () => {
    const list = Int32Array.from({ length: 10_000 }, (_, i) => (i * i * 31) % 17);
    const [, positions] = await lowered(
      "argsort",
      {},
      [tensor(list)],
      [tensor(list), tensor(list)],
      { threads: 2 },
    );
    const order = Array.from(list, (_, i) => i).sort((i, j) => list[i]! - list[j]! || i - j);
    expect(Array.from(positions!.data)).toEqual(order);
  });

  test("its derivative carries along", async () => {
    const x = sample([3, 6], "float64");
    const fn = (a: np.Array): np.Array =>
      grad((y: np.Array) => np.sum(np.sort(y).mul(np.arange(6).astype(y.dtype))))(a) as np.Array;
    const compiled = compile(fn);
    expect(distance(await compiled(x), eager(fn, x) as Tensor)).toBe(0);
    await compiled.dispose();
  });
});
