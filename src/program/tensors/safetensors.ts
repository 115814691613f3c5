/**
 * The safetensors file format: an 8-byte little-endian length, a JSON header that gives each tensor's
 * dtype, shape and byte range, then the bytes. Tensors are ordered by element size, then by name, and
 * the header is padded with spaces to a multiple of 8, so that the data are aligned and the same
 * content always gives the same bytes.
 *
 * What is written here also has a checksum in its metadata, over every byte of the file with the checksum's own digits
 * read as zeros. Two entries speak of it, so that no single damage makes it pass for a file of others, without one.
 *
 * @see https://github.com/huggingface/safetensors (section "Format")
 */
import { checkArgument, describeValue } from "../check-options.ts";
import { crc32 } from "../../files/portable.ts";
import { wrongMemory } from "./element-types.ts";
import { sizeOf, Tensor, type DType, type TypedArray } from "./tensor.ts";

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

const encoder = new TextEncoder();
const sumName = "stackelberg.crc32";
const promiseName = "stackelberg.checked";
const promise = "crc32 of every byte of this file, with its eight digits as zeros";
const zeros = "00000000";

/** Room for some 40,000 arrays. The reference implementation reads 25 times as many, in gigabytes of memory. */
const maxHeaderBytes = 4_000_000;

/** The file's bytes. The same content gives the same bytes, in whatever order it is listed. */
export function encodeSafetensors(content: SafetensorsContent): Uint8Array<ArrayBuffer> {
  checkArgument("encodeSafetensors", "content", content, "object");
  checkArgument("encodeSafetensors", "content.tensors", content.tensors, "object");
  for (const [name, value] of Object.entries<unknown>(content.tensors)) {
    if (value instanceof Tensor) continue;
    throw new SafetensorsError(
      `safetensors: "${name}" must be a Tensor, ${describeValue(value)} came; tensor(…) makes one.`,
    );
  }
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
  const metadata = Object.entries(content.metadata ?? {});
  if (metadata.some(([name]) => name === sumName || name === promiseName)) {
    fail(
      `the metadata "${sumName}" and "${promiseName}" are the file's checksum, name yours otherwise`,
    );
  }
  metadata.push([sumName, zeros], [promiseName, promise]);
  metadata.sort(([a], [b]) => (a < b ? -1 : 1));
  header.unshift(["__metadata__", Object.fromEntries(metadata)]);

  // JSON written entry by entry: an object would reorder names that look like integers.
  const json = header.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  const text = encoder.encode(`{${json.join(",")}}`);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  if (headerBytes > maxHeaderBytes) {
    fail(
      `${tensors.length} tensors and the metadata need a header of ${headerBytes} bytes, more than the ${maxHeaderBytes} that are read; store fewer arrays`,
    );
  }
  const bytes = new Uint8Array(8 + headerBytes + end);
  new DataView(bytes.buffer).setUint32(0, headerBytes, true);
  bytes.fill(0x20, 8, 8 + headerBytes);
  bytes.set(text, 8);
  let offset = 8 + headerBytes;
  for (const [, { data }] of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  bytes.set(encoder.encode(crc32(bytes)), digitsAt(bytes.subarray(0, 8 + headerBytes)));
  return bytes;
}

/**
 * Reads a file's bytes; the tensors own copies of their data.
 *
 * @returns `checked` is false for a file without a checksum, written by others or by an older version.
 * @throws {@link SafetensorsError} naming what is wrong: a truncated file, a header that is not
 * JSON, an unknown dtype, byte ranges that leave holes, overlap or do not fit the shape, or contents that do not fit
 * the checksum.
 */
export function decodeSafetensors(bytes: Uint8Array): {
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
  checked: boolean;
} {
  checkArgument("decodeSafetensors", "bytes", bytes, "bytes");
  // A Node Buffer's own `slice` would share its memory.
  const whole = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { header, data } = splitHeader(whole);
  const { __metadata__: described = {}, ...entries } = header;
  checkMetadata(described);
  const { [sumName]: sum, [promiseName]: promised, ...metadata } = described;
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
      const numbers = view(type, data.slice(start, end).buffer);
      const wrong = wrongMemory(type, numbers);
      if (wrong) fail(`tensor "${name}" is damaged: ${wrong}`);
      return [name, new Tensor(type, shape, numbers)] as const;
    },
  );
  if (expected !== data.length) fail(`${data.length - expected} bytes after the last tensor`);
  const checked = sum !== undefined || promised !== undefined;
  const isWhole = sum !== undefined && sum === crcWithZeros(whole, whole.length - data.length);
  if (checked && !isWhole) {
    fail(`its checksum does not fit its contents: the file is damaged`);
  }
  return { tensors: Object.fromEntries(tensors), metadata, checked };
}

/** Where the digits of the checksum stand in a header, −1 when nowhere; quotes inside of texts are escaped. */
function digitsAt(header: Uint8Array): number {
  const pattern = encoder.encode(`"${sumName}":"`);
  for (let at = header.indexOf(pattern[0]!); at >= 0; at = header.indexOf(pattern[0]!, at + 1)) {
    if (pattern.every((byte, i) => header[at + i] === byte)) return at + pattern.length;
  }
  return -1;
}

function crcWithZeros(bytes: Uint8Array, headerEnd: number): string | undefined {
  const at = digitsAt(bytes.subarray(0, headerEnd));
  if (at < 0) return undefined;
  return crc32(bytes.subarray(0, at), encoder.encode(zeros), bytes.subarray(at + zeros.length));
}

function splitHeader(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8)
    fail(`${bytes.length} bytes, at least 8 are required: the file is truncated`);
  const start = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const length = start.getUint32(0, true) + start.getUint32(4, true) * 2 ** 32;
  if (length > maxHeaderBytes)
    fail(
      `the header would have ${length} bytes, at most ${maxHeaderBytes} are read: not a safetensors file`,
    );
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
