/**
 * IDX files, the format of MNIST and its kin: two zero bytes, the type of the elements, the number of axes, their lengths
 * as 32-bit big-endian numbers, then the elements, last axis fastest.
 */
import { checkArgument, checkOptions } from "../../program/internal.ts";
import { readBytes } from "../packed/read-bytes.ts";
import { DataError } from "../data-error.ts";

/** An array of bytes with its shape, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes, gzip or not.
 *
 * @param options.maxUnpacked - most bytes that a gzip file may unpack to; default 256 million.
 * @throws {@link DataError} when the file cannot be read or is not such an IDX file.
 */
export async function readIdx(
  path: string,
  options: { readonly maxUnpacked?: number } = {},
): Promise<IdxArray> {
  checkArgument("readIdx", "path", path, "text");
  checkOptions("readIdx", options, { maxUnpacked: "number" });
  return parseIdx(await readBytes(path, options.maxUnpacked), path);
}

/**
 * Reads the bytes of an IDX file of unsigned bytes.
 *
 * @param source - the name in error messages.
 * @returns a view of `bytes`, not a copy.
 * @throws {@link DataError} saying what is wrong with the header or how many elements are missing or too many.
 */
export function parseIdx(bytes: Uint8Array, source: string): IdxArray {
  checkArgument("parseIdx", "bytes", bytes, "bytes");
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    throw new DataError(
      `${source}: an IDX file begins with two zero bytes, a type and a number of axes; this one does not. Give for example train-images-idx3-ubyte.gz.`,
    );
  }
  const [type, rank] = [bytes[2]!, bytes[3]!];
  if (type !== unsignedByte) {
    const hex = type.toString(16).padStart(2, "0");
    throw new DataError(
      `${source}: the elements have type 0x${hex}; only unsigned bytes, 0x08, are read. Convert the file first.`,
    );
  }
  const start = 4 + 4 * rank;
  if (rank === 0 || bytes.length < start) {
    throw new DataError(
      `${source}: the header names ${rank} axes but the file has ${bytes.length} bytes; fetch it again.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, length) => product * length, 1);
  const data = bytes.subarray(start);
  if (data.length !== size) {
    throw new DataError(
      `${source}: shape [${shape.join(", ")}] needs ${size} elements, the file holds ${data.length}; it is damaged or cut off, fetch it again.`,
    );
  }
  return { shape, data };
}

const unsignedByte = 0x08;
