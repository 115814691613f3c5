/**
 * Every primitive of jax-js on every element type, against jax-js's own evaluation: values of each kind
 * (zeros of both signs, denormals, huge, NaN, infinities, integer extremes), shapes of each kind.
 */
import { defaultDevice, init, numpy as np } from "@jax-js/jax";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";

import { compile } from "../../src/program/compile.ts";
import { type DType, type Tensor, tensor } from "../../src/program/tensors/tensor.ts";
import { distance, eager, lowered, readyEager } from "./eager.ts";
import { eager as jaxEager } from "./jax-eager.ts";
import { type Row, rows } from "./rows/index.ts";

beforeAll(async () => {
  await readyEager();
  await init("wasm");
});

/** Primitives with a table of their own, and where. */
const elsewhere: Readonly<Record<string, string>> = {
  conv: "test/program/convolution.test.ts",
  pool: "test/program/convolution.test.ts",
  pool_transpose: "test/program/convolution.test.ts",
  fft: "src/program/lower/fft.test.ts",
  // Inlined by the tracer.
  jit: "src/program/trace/trace.test.ts",
};

test("the table has every primitive of the installed jax-js", () => {
  const types = createRequire(import.meta.url)
    .resolve("@jax-js/jax")
    .replace(/index\.\w+$/, "index.d.ts");
  const [, body] = /declare enum Primitive \{([^}]*)\}/.exec(readFileSync(types, "utf8"))!;
  const names = [...body!.matchAll(/= "(\w+)"/g)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(50);
  expect(Object.values(elsewhere).filter((path) => !existsSync(path))).toEqual([]);
  const covered = new Set([...rows.map(({ primitive }) => primitive), ...Object.keys(elsewhere)]);
  expect(names.filter((name) => !covered.has(name))).toEqual([]);
  expect([...covered].filter((name) => !names.includes(name))).toEqual([]);
});

const primitives = [...new Set(rows.map(({ primitive }) => primitive))];

describe.each(primitives)("%s", (primitive) => {
  const list = rows.filter((row) => row.primitive === primitive);
  const dtypes = [...new Set(list.flatMap((row) => row.dtypes))];
  test.each(dtypes)("%s", async (dtype) => {
    for (const row of list.filter((each) => each.dtypes.includes(dtype))) await check(row, dtype);
  });
});

async function check(row: Row, dtype: DType): Promise<void> {
  const { primitive, params = {}, tolerance } = row;
  const inputs = row.inputs(dtype);
  defaultDevice(row.wasm?.dtypes.includes(dtype) ? "wasm" : "cpu");
  const expected = eager(primitive, params, inputs);
  const allowed = { float32: tolerance?.[0], float64: tolerance?.[1] }[dtype as string] ?? 0;
  for (const optimize of [true, false]) {
    const found = await lowered(primitive, params, inputs, expected, { optimize });
    const largest = Math.max(...found.map((value, i) => distance(value, expected[i]!)));
    const label = `${primitive}(${inputs.join(", ")}) ${JSON.stringify(params)} optimize=${optimize}`;
    expect({ label, largest: largest <= allowed ? "within" : largest }).toEqual({
      label,
      largest: "within",
    });
  }
}

describe("float16 (jax-js cannot hold it in Node 20: the reference is float32)", () => {
  const half = np.float16;
  const functions: Readonly<Record<string, (x: np.Array) => np.Array>> = {
    arithmetic: (x) => x.add(1).mul(x).sub(0.25).div(x.add(3)),
    movement: (x) =>
      np.concatenate([np.flip(np.transpose(x)), np.pad(np.transpose(x), 1).slice([1, 4], [0, 2])]),
    reductions: (x) => np.stack([np.sum(x), np.max(x), np.min(x), np.prod(x.slice(0))]),
    product: (x) => np.dot(x, np.transpose(x)),
    functions: (x) =>
      np
        .exp(np.sin(x))
        .add(np.sqrt(np.abs(x)))
        .add(np.tanh(x)),
    choice: (x) => np.where(x.less(0), x, np.floor(x)),
    reading: (x) => np.take(x, np.array([1, 0, 1], { dtype: np.int32 }), 0),
    sorting: (x) => np.sort(x),
  };
  test.each(Object.keys(functions))("%s", async (name) => {
    defaultDevice("cpu");
    const fn = functions[name]!;
    const x = tensor([0.5, -1.25, 2, 0.75, 1.5, -0.125], { shape: [2, 3] });
    const compiled = compile((a: np.Array) => fn(a.astype(half)).astype(np.float32));
    const [found, expected] = [await compiled(x), jaxEager(fn, x)];
    await compiled.dispose();
    // Three significant digits: float16 has 11 bits.
    expect(distance(found, expected as Tensor)).toBeLessThan(5e-3);
  });
});

describe("named deviations from jax-js", () => {
  const scalar = (value: number, dtype: DType) => tensor([value], { dtype });

  test.each(["idiv", "mod"])(
    "%s: an integer divided by zero fails the run (jax-js: 0 on one backend, a trap on another)",
    async (primitive) => {
      const inputs = [scalar(5, "int32"), scalar(0, "int32")];
      await expect(lowered(primitive, {}, inputs, [inputs[0]!])).rejects.toThrow(/by zero/);
    },
  );

  test("gather: negative indices count from the end, others outside fail the run", async () => {
    // jax-js reads whatever memory lies there.
    const x = tensor([10, 20, 30]);
    const read = (index: number) =>
      lowered(
        "gather",
        { axis: [0], outDim: 0 },
        [x, scalar(index, "int32")],
        [{ shape: [1], dtype: "float32" }],
      );
    expect((await read(-1))[0]!.data).toEqual(Float32Array.of(30));
    await expect(read(3)).rejects.toThrow(/out of data bounds|out of bounds|range/);
  });

  test("scatter: negative indices count from the end, as the adjoint of gather must", async () => {
    const params = { op: "add", shape: [3], axis: [0], outDim: 0, uniqueIndices: false };
    const inputs = [tensor([1, 2, 4]), tensor([-1, -4, 3], { dtype: "int32" })];
    const [found] = await lowered("scatter", params, inputs, [{ shape: [3], dtype: "float32" }]);
    expect(found!.data).toEqual(Float32Array.of(0, 0, 1));
  });

  test("sort: zeros of both signs are equal, so they keep their order", async () => {
    const x = tensor([0, -0, 1, -0]);
    const [found] = await lowered("sort", {}, [x], [x]);
    expect(Array.from(found!.data, (value) => Object.is(value, -0))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
