import { grad, lax, numpy as np, vmap } from "@jax-js/jax";
import { expect, test } from "vitest";

import { ArraySpec, type DType, type JaxFunction, type Shape, toOnnx } from "../../index.ts";

/** Names of the nodes of a graph come from their operators: Conv_3, MatMul_12. */
function operators(fn: JaxFunction, x: Shape, w: Shape, dtype: DType = "float32"): Set<string> {
  const bytes = toOnnx(
    fn,
    [x, w].map((shape) => new ArraySpec(shape, dtype)),
  );
  const names = Buffer.from(bytes)
    .toString("latin1")
    .matchAll(/([A-Z][A-Za-z]+)_\d+/g);
  return new Set(Array.from(names, ([, operator]) => operator!));
}

const same = (x: np.Array, w: np.Array): np.Array => lax.conv(x, w, [1, 1], "SAME");
const image = [4, 3, 8, 8];
const filter = [5, 3, 3, 3];

test("float32 is one Conv; other types one product", () => {
  const plain = operators(same, image, filter);
  expect(plain).toContain("Conv");
  for (const other of ["MatMul", "Pad", "Transpose", "Reshape"]) expect(plain).not.toContain(other);
  const double = operators(same, image, filter, "float64");
  expect(double).toContain("MatMul");
  expect(double).not.toContain("Conv");
});

test("batch axes fold into the batch, the filters or the groups of one Conv", () => {
  for (const [axes, x, w] of [
    [[0, null], [2, ...image], filter],
    [[null, 0], image, [2, ...filter]],
    [
      [0, 0],
      [2, ...image],
      [2, ...filter],
    ],
  ] as const) {
    const found = operators(vmap(same, [...axes]), x, w);
    expect(found).toContain("Conv");
    expect(found).not.toContain("Expand");
    expect(found).not.toContain("MatMul");
  }
});

test("the gradient of a strided convolution is a ConvTranspose; of a filter, products", () => {
  const energy = (x: np.Array, w: np.Array): np.Array =>
    np.sum(
      np.square(
        lax.conv(
          x,
          w,
          [2, 2],
          [
            [1, 1],
            [1, 1],
          ],
        ),
      ),
    );
  const data = operators(
    (x: np.Array, w: np.Array) => grad((y: np.Array) => energy(y, w))(x),
    [4, 3, 7, 7],
    filter,
  );
  expect(data).toContain("ConvTranspose");
  const filters = operators(
    (x: np.Array, w: np.Array) => grad((v: np.Array) => energy(x, v))(w),
    [4, 3, 7, 7],
    filter,
  );
  expect(filters).toContain("MatMul");
  expect(filters).not.toContain("ConvTranspose");
});

test("a filter larger than the data changes places with it", () => {
  const wide = (x: np.Array, w: np.Array): np.Array =>
    lax.conv(
      x,
      w,
      [1, 1],
      [
        [4, 4],
        [4, 4],
      ],
    );
  const bytes = toOnnx(wide, [
    new ArraySpec([2, 3, 3, 3], "float32"),
    new ArraySpec([4, 3, 6, 6], "float32"),
  ]);
  // kernel_shape is that of the data: an attribute of packed ints after its name.
  const text = Buffer.from(bytes).toString("latin1");
  const at = text.indexOf("kernel_shape") + "kernel_shape".length;
  const attribute = Array.from(text.slice(at, at + 6), (c) => c.charCodeAt(0));
  expect(attribute.filter((byte) => byte === 3 || byte === 6)).toEqual([3, 3]);
});

test("two convolutions with one filter rearrange it once", () => {
  const twice = (x: np.Array, w: np.Array): np.Array =>
    np.tanh(same(x, w)).add(same(np.tanh(x), w));
  const bytes = toOnnx(twice, [new ArraySpec(image, "float64"), new ArraySpec(filter, "float64")]);
  const names = Buffer.from(bytes)
    .toString("latin1")
    .matchAll(/Transpose_\d+/g);
  const outputs = new Set(Array.from(names, ([name]) => name));
  expect(outputs.size).toBe(1);
});
