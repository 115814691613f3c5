/**
 * The safetensors file format: an 8-byte little-endian length, a JSON header that gives each tensor's
 * dtype, shape and byte range, then the bytes. Tensors are ordered by element size, then by name, and
 * the header is padded with spaces to a multiple of 8, so that the data are aligned and the same
 * content always gives the same bytes.
 *
 * @see https://github.com/huggingface/safetensors (section "Format")
 */
import { sizeOf, Tensor, type DType, type TypedArray } from "../program/tensor.ts";

/** Named tensors and free text. */
export interface SafetensorsContent {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A file that is not valid safetensors, or holds a dtype that {@link Tensor} does not have. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const formats: Record<DType, { code: string; bytes: number }> = {
  float64: { code: "F64", bytes: 8 },
  float32: { code: "F32", bytes: 4 },
  float16: { code: "F16", bytes: 2 },
  int32: { code: "I32", bytes: 4 },
  uint32: { code: "U32", bytes: 4 },
  bool: { code: "BOOL", bytes: 1 },
};
const dtypes = new Map(
  Object.entries(formats).map(([dtype, format]) => [format.code, dtype as DType]),
);

/** The reference implementation's bound on the header. */
const maxHeaderBytes = 100_000_000;

/** The file's bytes. The same content gives the same bytes, in whatever order it is listed. */
export function encodeSafetensors(content: SafetensorsContent): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(content.tensors).sort(
    ([a, x], [b, y]) => formats[y.dtype].bytes - formats[x.dtype].bytes || (a < b ? -1 : 1),
  );
  let end = 0;
  const header: [string, unknown][] = tensors.map(([name, { dtype, shape, data }]) => {
    if (name === "__metadata__") {
      throw new SafetensorsError(`safetensors: a tensor cannot be named "__metadata__".`);
    }
    const start = end;
    end += data.byteLength;
    const entry: Entry = {
      dtype: formats[dtype].code,
      shape: [...shape],
      data_offsets: [start, end],
    };
    return [name, entry];
  });
  const metadata = Object.entries(content.metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (metadata.length > 0) header.unshift(["__metadata__", Object.fromEntries(metadata)]);

  // JSON written entry by entry: an object would reorder names that look like integers.
  const json = header.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  const text = new TextEncoder().encode(`{${json.join(",")}}`);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + end);
  new DataView(bytes.buffer).setUint32(0, headerBytes, true);
  bytes.fill(0x20, 8, 8 + headerBytes);
  bytes.set(text, 8);
  let offset = 8 + headerBytes;
  for (const [, { data }] of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a file's bytes; the tensors own copies of their data.
 *
 * @throws {@link SafetensorsError} naming what is wrong: a truncated file, a header that is not
 * JSON, an unknown dtype, or byte ranges that leave holes, overlap or do not fit the shape.
 */
export function decodeSafetensors(bytes: Uint8Array): {
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
} {
  // A Node Buffer's own `slice` would share its memory.
  const { header, data } = splitHeader(
    new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  );
  const { __metadata__: metadata = {}, ...entries } = header;
  checkMetadata(metadata);
  const sorted = Object.entries(entries)
    .map(([name, entry]) => [name, checkEntry(name, entry)] as const)
    .sort(
      ([, a], [, b]) =>
        a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
    );
  let expected = 0;
  const tensors = sorted.map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [start, end],
      },
    ]) => {
      if (start !== expected) {
        fail(`tensor "${name}" starts at byte ${start} of the data, byte ${expected} was expected`);
      }
      if (end > data.length) {
        fail(
          `tensor "${name}" ends at byte ${end} of the data, which have only ${data.length}: the file is truncated`,
        );
      }
      expected = end;
      const type = dtypes.get(dtype)!;
      return [name, new Tensor(type, shape, view(type, data.slice(start, end).buffer))] as const;
    },
  );
  if (expected !== data.length) fail(`${data.length - expected} bytes after the last tensor`);
  return { tensors: Object.fromEntries(tensors), metadata };
}

function splitHeader(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8)
    fail(`${bytes.length} bytes, at least 8 are required: the file is truncated`);
  const start = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const length = start.getUint32(0, true) + start.getUint32(4, true) * 2 ** 32;
  if (length > maxHeaderBytes)
    fail(`the header would have ${length} bytes: not a safetensors file`);
  if (8 + length > bytes.length) {
    fail(`the header has ${length} bytes, the file only ${bytes.length}: the file is truncated`);
  }
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)),
    );
  } catch (cause) {
    throw new SafetensorsError(`safetensors: the header is not JSON; is this the right file?`, {
      cause,
    });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    fail(`the header is not a JSON object; is this the right file?`);
  }
  return { header: header as Record<string, unknown>, data: bytes.subarray(8 + length) };
}

function checkMetadata(metadata: unknown): asserts metadata is Record<string, string> {
  const isObject = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!isObject || Object.values(metadata).some((value) => typeof value !== "string")) {
    fail(`"__metadata__" must map strings to strings`);
  }
}

function checkEntry(name: string, entry: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = Object(entry) as Partial<Entry>;
  if (typeof dtype !== "string" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    fail(
      `tensor "${name}" needs "dtype", "shape" and "data_offsets", got ${JSON.stringify(entry)}`,
    );
  }
  const type = dtypes.get(dtype);
  if (type === undefined) {
    fail(`tensor "${name}" has dtype ${dtype}; supported: ${[...dtypes.keys()].join(", ")}`);
  }
  const bytes = sizeOf(shape) * formats[type].bytes;
  if (offsets[1]! - offsets[0]! !== bytes) {
    fail(
      `tensor "${name}" of ${dtype} and shape [${shape.join(", ")}] needs ${bytes} bytes, its range [${offsets.join(", ")}] has ${offsets[1]! - offsets[0]!}`,
    );
  }
  return { dtype, shape, data_offsets: offsets as [number, number] };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function view(dtype: DType, buffer: ArrayBuffer): TypedArray {
  switch (dtype) {
    case "float64":
      return new Float64Array(buffer);
    case "float32":
      return new Float32Array(buffer);
    case "float16":
      return new Uint16Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "bool":
      return new Uint8Array(buffer);
  }
}

function fail(problem: string): never {
  throw new SafetensorsError(`safetensors: ${problem}.`);
}
