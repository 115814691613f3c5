import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { eager } from "../../../test/program/jax-eager.ts";
import {
  ArraySpec,
  compile,
  type DType,
  type Shape,
  type Tensor,
  tensor,
  toOnnx,
} from "../index.ts";

type Binary = (x: np.Array, y: np.Array) => np.Array;

function wave(shape: Shape, dtype: DType): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  const values = Array.from({ length: size }, (_, i) => Math.round(20 + 20 * Math.sin(1.7 * i)));
  return tensor(dtype === "bool" ? values.map((v) => v % 2) : values, {
    shape: [...shape],
    dtype,
  });
}

async function expectSame(fn: Binary, x: Tensor, y: Tensor): Promise<void> {
  const compiled = compile(fn);
  const actual = (await compiled(x, y)) as unknown as Tensor;
  await compiled.dispose();
  const wanted = eager(fn, x, y) as Tensor;
  expect(actual.shape).toEqual(wanted.shape);
  // Adding 0 makes 0 of -0, a sign that jax-js does not keep.
  const numbers = ({ data }: Tensor): number[] => Array.from(data, (v) => Number(v) + 0);
  expect(numbers(actual)).toEqual(numbers(wanted));
}

function text(fn: Binary, x: Shape, y: Shape): string {
  const specs = [x, y].map((shape) => new ArraySpec(shape, "float32"));
  return Buffer.from(toOnnx(fn, specs)).toString("latin1");
}

describe("operands that repeat along short last axes", () => {
  const functions: [string, Binary][] = [
    ["add", (x, y) => np.add(x, y)],
    ["subtract, the small one first", (x, y) => np.subtract(y, x)],
    ["equal", (x, y) => np.equal(x, y)],
    ["where", (x, y) => np.where(np.equal(x, y), y, x)],
  ];
  const shapes: [Shape, Shape][] = [
    [
      [600, 4, 2],
      [600, 4, 1],
    ],
    [
      [60, 4, 2, 5, 2],
      [60, 4, 1, 5, 1],
    ],
    [
      [600, 2, 3, 1],
      [600, 1, 1, 2],
    ],
    [
      [600, 8],
      [600, 1],
    ],
  ];
  const types: DType[] = ["float32", "float64", "int32", "uint32"];
  test.each(functions)("%s", async (_, fn) => {
    for (const [x, y] of shapes) {
      for (const dtype of types) await expectSame(fn, wave(x, dtype), wave(y, dtype));
    }
  });

  test("only where it pays", () => {
    const add = functions[0]![1];
    expect(text(add, [4096, 2], [4096, 1])).toContain("Concat");
    expect(text(add, [4096, 8], [4096, 1])).not.toContain("Concat");
    expect(text(add, [4096, 2], [1, 1])).not.toContain("Concat");
    expect(text(add, [4096, 2], [4096, 2])).not.toContain("Concat");
    expect(text(add, [40, 2], [40, 1])).not.toContain("Concat");
  });
});

describe("last axes of one beside operands that repeat", () => {
  const functions: [string, Binary][] = [
    ["multiply", (x, y) => np.multiply(x, y)],
    ["subtract, the small one first", (x, y) => np.subtract(y, x)],
    ["less", (x, y) => np.less(x, y)],
    ["where", (x, y) => np.where(np.equal(x, y), y, x)],
  ];
  const shapes: [Shape, Shape][] = [
    [[600, 1], []],
    [
      [600, 1],
      [1, 1],
    ],
    [
      [60, 10, 1, 1],
      [10, 1, 1],
    ],
    [
      [60, 1, 1],
      [1, 11, 1],
    ],
  ];
  test.each(functions)("%s", async (_, fn) => {
    for (const [x, y] of shapes) {
      for (const dtype of ["float32", "float64", "int32"] as const) {
        await expectSame(fn, wave(x, dtype), wave(y, dtype));
      }
    }
  });

  test("are left out only where it pays", () => {
    const multiply = functions[0]![1];
    expect(text(multiply, [600, 1], [])).toContain("Reshape");
    expect(text(multiply, [40, 1], [])).not.toContain("Reshape");
    expect(text(multiply, [600, 1], [600, 1])).not.toContain("Reshape");
    expect(text(multiply, [600, 2], [])).not.toContain("Reshape");
  });
});

describe("a choice between 1 and 0", () => {
  const chosen =
    (yes: number, no: number): Binary =>
    (x, y) =>
      np.where(
        np.less(x, y),
        np.array(yes, { dtype: x.dtype }),
        np.array(no, { dtype: x.dtype }),
      ) as np.Array;

  test("is a cast", async () => {
    for (const [yes, no] of [
      [1, 0],
      [0, 1],
    ] as const) {
      expect(text(chosen(yes, no), [3, 4], [3, 4])).not.toContain("Where");
      for (const dtype of ["float32", "int32", "uint32"] as const) {
        await expectSame(chosen(yes, no), wave([3, 4], dtype), wave([3, 1], dtype));
      }
    }
  });

  test("and others are not", async () => {
    for (const [yes, no] of [
      [1, 2],
      [1, -0],
      [0, 0],
    ] as const) {
      expect(text(chosen(yes, no), [3, 4], [3, 4])).toContain("Where");
      await expectSame(chosen(yes, no), wave([3, 4], "float32"), wave([3, 1], "float32"));
    }
  });
});
