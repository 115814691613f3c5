import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { castTensor, type DType, Tensor, tensor, toTensor, zeros } from "./tensor.ts";

const pixels = Uint8Array.of(0, 1, 128, 255);

describe("bytes and other typed arrays", () => {
  test("pixels without a type are refused, with one they are numbers", () => {
    expect(() => tensor(pixels)).toThrow(
      'tensor: bytes above 1 (128 came) have no element type of their own; give { dtype: "float32" } for pixels, { dtype: "int32" } for labels.',
    );
    expect(tensor(pixels, { dtype: "float32" }).toNested()).toEqual([0, 1, 128, 255]);
    expect(tensor(pixels, { dtype: "int32", shape: [2, 2] }).toNested()).toEqual([[0, 1], [128, 255]]); // prettier-ignore
    expect(() => tensor(pixels, { dtype: "bool" })).toThrow("128 is neither 0 nor 1");
    expect(() => toTensor(pixels)).toThrow(/bytes above 1/);
    expect(() => new Tensor("bool", [4], pixels)).toThrow("bool is 0 and 1, 128 came");
    expect(() => new Tensor("float32", [4], pixels)).toThrow("kept in a Float32Array");
    expect(() => tensor(Uint8ClampedArray.of(7))).toThrow(/bytes above 1/);
    expect(() => tensor(Buffer.from([7]))).toThrow(/bytes above 1/);
  });

  test("bytes of 0 and 1 are booleans", () => {
    expect(`${tensor(Uint8Array.of(0, 1))}`).toBe("bool[2]");
    expect(`${tensor(Uint8ClampedArray.of(0, 1))}`).toBe("bool[2]");
  });

  test("small signed integers become int32, and keep their values", () => {
    expect(tensor(Int8Array.of(-128, 127))).toEqual(tensor(Int32Array.of(-128, 127)));
    expect(tensor(Int16Array.of(-300, 300))).toEqual(tensor(Int32Array.of(-300, 300)));
  });

  test("a Uint16Array is whole numbers or bits: it must be said which", () => {
    expect(() => tensor(Uint16Array.of(3))).toThrow(/whole numbers or the bits of float16/);
    expect(tensor(Uint16Array.of(65535), { dtype: "int32" }).item()).toBe(65535);
    expect(tensor(Uint16Array.of(0x3c00), { dtype: "float16" }).data[0]).toBe(0x3c00);
  });

  test("big integers need a type that holds them", () => {
    expect(() => tensor(BigInt64Array.of(1n))).toThrow(/BigInt64Array has no element type here/);
    expect(tensor(BigInt64Array.of(-5n), { dtype: "int32" }).item()).toBe(-5);
    expect(() => tensor(BigUint64Array.of(2n ** 63n), { dtype: "float64" })).toThrow(/more digits/);
    expect(() => tensor(BigInt64Array.of(2n ** 40n), { dtype: "int32" })).toThrow(/outside/);
  });
});

describe("what does not fit its type", () => {
  test.each<[number, DType, RegExp]>([
    [0.5, "int32", /^tensor: element 1 does not fit int32: 0.5 is not a whole number/],
    [NaN, "int32", /NaN is not a whole number/],
    [Infinity, "uint32", /Infinity is not a whole number/],
    [-1, "uint32", /-1 is outside 0 to 4294967295/],
    [2 ** 31, "int32", /2147483648 is outside/],
    [2, "bool", /2 is neither 0 nor 1/],
    [1e39, "float32", /1e\+39 is larger than float32 reaches .* "float64"/],
    [-1e6, "float16", /larger than float16 reaches .* "float32"/],
  ])("%d in %s", (value, dtype, message) => {
    expect(() => tensor([0, value], { dtype })).toThrow(message);
    expect(() => tensor(Float64Array.of(0, value), { dtype })).toThrow(message);
    expect(() => tensor(tensor([0, value], { dtype: "float64" }), { dtype })).toThrow(message);
  });

  test.each<[number, DType]>([
    [2 ** 31 - 1, "int32"],
    [-(2 ** 31), "int32"],
    [2 ** 32 - 1, "uint32"],
    [-0, "int32"],
    [Infinity, "float32"],
    [NaN, "float16"],
    [1e300, "float64"],
    [0.1, "float32"],
    [1, "bool"],
  ])("%d fits %s", (value, dtype) => {
    expect(() => tensor(value, { dtype })).not.toThrow();
  });

  test("a program's own casts round and wrap", () => {
    expect(castTensor(tensor([1.7, -1.7]), { dtype: "int32" }).toNested()).toEqual([1, -1]);
  });
});

describe("what is no array", () => {
  test.each<[unknown, RegExp]>([
    [undefined, /elements must be numbers or booleans, undefined came/],
    [null, /null came/],
    ["3", /"3" came/],
    [[1, "2"], /"2" came/],
    [[1, null], /null came/],
    [{}, /a Object came/],
    [() => 1, /a function came/],
    [[Float32Array.of(1), Float32Array.of(2)], /a Float32Array came/],
    [[true, 2], /booleans and numbers are mixed/],
    [[[1, 2], [3]], /ragged nesting/],
  ])("%j", (value, message) => {
    expect(() => tensor(value as never)).toThrow(message);
  });

  test("options are checked by name and value", () => {
    expect(() => tensor([1], { type: "int32" } as never)).toThrow('there is no option "type"');
    expect(() => tensor([1], { dtype: "uint8" } as never)).toThrow('float32, float64, float16, int32, uint32, bool, "uint8" came'); // prettier-ignore
    expect(() => tensor([1], { shape: 1 } as never)).toThrow(
      /shape must be a list of whole numbers/,
    );
    expect(() => tensor([1], [1] as never)).toThrow(/options must be an object/);
    expect(() => zeros([2.5])).toThrow(/zeros: shape must be a list/);
    expect(() => zeros([2], "float" as never)).toThrow(/zeros: dtype must be one of/);
  });

  test("a jax-js array is read and stays", () => {
    const array = np.array([1, 2]);
    expect(tensor(array, { dtype: "int32" }).toNested()).toEqual([1, 2]);
    expect(array.js()).toEqual([1, 2]);
  });
});
