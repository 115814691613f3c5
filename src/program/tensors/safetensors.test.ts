import { fc, test as property } from "@fast-check/vitest";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { allocate, sizeOf, Tensor, tensor, type DType } from "./tensor.ts";
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from "./safetensors.ts";

/** Tensors of every dtype and rank 0–3 with arbitrary bits, NaN payloads included. */
const tensors: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom<DType>("float64", "float32", "float16", "int32", "uint32", "bool"),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    seed: fc.infiniteStream(fc.nat(255)),
  })
  .map(({ dtype, shape, seed }) => {
    const data = allocate(dtype, sizeOf(shape));
    const raw = new Uint8Array(data.buffer);
    for (let i = 0; i < raw.length; i++) {
      const byte = seed.next().value as number;
      raw[i] = dtype === "bool" ? byte & 1 : byte;
    }
    return new Tensor(dtype, shape, data);
  });
const names = fc.oneof(fc.string(), fc.constantFrom("0", "12", "constructor", "toString", "é/ü"));
const contents = fc.record({
  tensors: fc.dictionary(names, tensors, { maxKeys: 6 }),
  metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
});

const bits = ({ dtype, shape, data }: Tensor): unknown => [
  dtype,
  [...shape],
  [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
];

property.prop([contents])("decode(encode(x)) is x, bit for bit", ({ tensors, metadata }) => {
  const read = decodeSafetensors(encodeSafetensors({ tensors, metadata }));
  expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort());
  for (const [name, value] of Object.entries(tensors)) {
    expect(bits(read.tensors[name]!)).toEqual(bits(value));
  }
  expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
});

property.prop([contents])("the order of the names does not matter", ({ tensors, metadata }) => {
  const reversed = Object.fromEntries(Object.entries(tensors).reverse());
  expect(encodeSafetensors({ tensors: reversed, metadata })).toEqual(
    encodeSafetensors({ tensors, metadata }),
  );
});

property.prop([contents, fc.nat(), fc.integer({ min: 1, max: 255 })])(
  "any cut, any changed byte and anything appended is a SafetensorsError",
  (content, position, change) => {
    const bytes = encodeSafetensors(content);
    const damaged = bytes.slice();
    damaged[position % bytes.length]! ^= change;
    const cut = bytes.subarray(0, position % bytes.length);
    for (const candidate of [cut, damaged, Uint8Array.of(...bytes, change)]) {
      expect(() => decodeSafetensors(candidate)).toThrow(SafetensorsError);
    }
  },
);

test("every single bit counts", () => {
  const bytes = encodeSafetensors({ tensors: { a: tensor([1, 2]) }, metadata: { k: "v" } });
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => decodeSafetensors(damaged), `bit ${bit}`).toThrow(SafetensorsError);
  }
});

test("files of others have no checksum, and that is said", () => {
  const header = `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`;
  const bytes = new Uint8Array(8 + header.length + 4);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(new TextEncoder().encode(header), 8);
  expect(decodeSafetensors(bytes).checked).toBe(false);
  expect(decodeSafetensors(encodeSafetensors({ tensors: {} })).checked).toBe(true);
  const own = { "stackelberg.crc32": "mine" };
  expect(() => encodeSafetensors({ tensors: {}, metadata: own })).toThrow(/name yours otherwise/);
});

test("the tensors read own their memory, also from a Node Buffer", () => {
  const bytes = Buffer.from(encodeSafetensors({ tensors: { a: tensor([1, 2]) } }));
  const { a } = decodeSafetensors(bytes).tensors;
  bytes.fill(0);
  expect(a!.toNested()).toEqual([1, 2]);
});

test("the layout is the published one", () => {
  const bytes = encodeSafetensors({ tensors: { a: tensor([1, 2]) }, metadata: { k: "v" } });
  const checked = "crc32 of every byte of this file, with its eight digits as zeros";
  const sums = `"stackelberg.checked":"${checked}","stackelberg.crc32":"00000000"`;
  const header = `{"__metadata__":{"k":"v",${sums}},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`;
  const length = Math.ceil(header.length / 8) * 8;
  expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(length));
  // The checksum can be checked with any tool: its digits are replaced, then the whole file is summed.
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const digits = /"stackelberg\.crc32":"([0-9a-f]{8})"/.exec(text)!;
  expect(text.replace(digits[0], digits[0].replace(digits[1]!, "00000000"))).toBe(
    header.padEnd(length),
  );
  const zeroed = bytes.slice();
  zeroed.fill(0x30, 8 + text.indexOf(digits[1]!), 8 + text.indexOf(digits[1]!) + 8);
  expect(crc32(zeroed).toString(16).padStart(8, "0")).toBe(digits[1]);
  expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
});

test("data are aligned to their element size", () => {
  const content = { b: tensor([true]), d: tensor(new Float64Array(1)), f: tensor([1]) };
  const text = new TextDecoder().decode(encodeSafetensors({ tensors: content }));
  expect(text).toContain(`"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}`);
  expect(text).toContain(`"b":{"dtype":"BOOL","shape":[1],"data_offsets":[12,13]}`);
});

describe("malformed files are refused with a sentence", () => {
  const file = (header: string, data: number): Uint8Array => {
    const bytes = new Uint8Array(8 + header.length + data);
    new DataView(bytes.buffer).setUint32(0, header.length, true);
    bytes.set(new TextEncoder().encode(header), 8);
    return bytes;
  };
  const entry = (dtype: string, shape: string, from: number, to: number): string =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${from},${to}]}`;
  test.each([
    ["empty", new Uint8Array(0), /0 bytes, at least 8 are required: the file is truncated/],
    ["header cut", file("{}", 0).subarray(0, 9), /header has 2 bytes.*truncated/],
    ["huge header", new Uint8Array(16).fill(255), /not a safetensors file/],
    ["no JSON", file("{nonsense", 0), /header is not JSON/],
    ["a list", file("[]", 0), /not a JSON object/],
    ["data cut", file(`{"a":${entry("F32", "[2]", 0, 8)}}`, 7), /"a" ends at byte 8.*truncated/],
    ["unknown dtype", file(`{"a":${entry("BF16", "[2]", 0, 4)}}`, 4), /dtype BF16; supported: F64/],
    ["wrong size", file(`{"a":${entry("F32", "[3]", 0, 8)}}`, 8), /needs 12 bytes.*has 8/],
    [
      "a hole",
      file(`{"a":${entry("F32", "[1]", 4, 8)}}`, 8),
      /starts at byte 4.*byte 0 was expected/,
    ],
    ["left over", file(`{"a":${entry("F32", "[1]", 0, 4)}}`, 8), /4 bytes after the last tensor/],
    ["no shape", file(`{"a":{"dtype":"F32"}}`, 0), /needs "dtype", "shape" and "data_offsets"/],
    ["negative", file(`{"a":${entry("F32", "[-1]", 0, -4)}}`, 0), /needs "dtype"/],
    ["metadata", file(`{"__metadata__":{"a":1}}`, 0), /must map strings to strings/],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(message);
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
  });
});
