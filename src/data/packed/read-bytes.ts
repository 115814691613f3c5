/**
 * The bytes of a text file, unzipped when they are gzip, or one sentence on why they are not text.
 * What a file is called does not matter here, only what it holds.
 */
import { isUtf8 } from "node:buffer";
import { NotAFileError, readRegularFile } from "../../files/index.ts";
import { gunzipWithin } from "./gunzip.ts";
import { DataError } from "../data-error.ts";
import { defaultMaxUnpacked, UnpackedError } from "./unpacked.ts";

/**
 * Reads a file and unzips it when it begins like gzip.
 *
 * @param limit - most bytes that gzip data may unpack to.
 * @param look - sees the pieces of gzip data before they are kept, and may refuse them.
 * @throws {@link DataError} when it cannot.
 */
export async function readBytes(
  path: string,
  limit: number = defaultMaxUnpacked,
  look?: (piece: Uint8Array) => void,
): Promise<Uint8Array> {
  return unpackBytes(await readFileBytes(path), path, limit, look);
}

/** The same of a file's bytes that are in memory already; `path` is what messages call them. */
export async function unpackBytes(
  packed: Uint8Array,
  path: string,
  limit: number = defaultMaxUnpacked,
  look?: (piece: Uint8Array) => void,
): Promise<Uint8Array> {
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  try {
    return await gunzipWithin(packed, limit, look);
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof DataError) throw cause;
    if (cause instanceof UnpackedError)
      throw new DataError(`${path}: ${cause.message}.`, { cause });
    throw new DataError(
      `${path}: the gzip data are damaged or cut off (${reasonOf(cause)}); fetch the file again or unzip it yourself.`,
      { cause },
    );
  }
}

/** Refuses the formats that are no text: {@link DataError} says which one it is. */
export function checkFormat(bytes: Uint8Array, source: string): void {
  for (const [format, magic, remedy] of binaryFormats) {
    if (magic.every((byte, i) => bytes[i] === byte)) {
      throw new DataError(`${source}: this is ${format}, not CSV text; ${remedy}.`);
    }
  }
}

/**
 * Refuses bytes that are not UTF-8 text and removes a byte order mark.
 *
 * @throws {@link DataError} for an empty file, NUL bytes, or bytes that are not UTF-8 (with offset and line).
 */
export function checkText(bytes: Uint8Array, source: string): Uint8Array {
  const text =
    bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  if (text.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))) {
    throw new DataError(`${source}: the file is empty; give a CSV file with at least two columns.`);
  }
  const nul = text.indexOf(0);
  if (nul >= 0) {
    throw new DataError(
      `${source}, line ${lineAt(text, nul)}: a NUL byte at offset ${nul + bytes.length - text.length} says that this is a binary file, not CSV text; export the data as CSV in UTF-8, or name the encoding (--encoding).`,
    );
  }
  if (!isUtf8(text)) {
    const at = invalidUtf8At(text);
    const hex = text[at]!.toString(16).padStart(2, "0");
    throw new DataError(
      `${source}, line ${lineAt(text, at)}: byte 0x${hex} at offset ${at + bytes.length - text.length} is not UTF-8, and what else it is is not clear; name the encoding (--encoding), such as windows-1252.`,
    );
  }
  return text;
}

/** 1-based line of a byte offset; \n, \r\n and a lone \r end lines. */
export function lineAt(bytes: Uint8Array, offset: number): number {
  return 1 + countLineBreaks(bytes.subarray(0, offset), bytes[offset] === 0x0a);
}

/** Line breaks in the bytes. A final \r whose \n follows outside is not counted yet. */
export function countLineBreaks(bytes: Uint8Array, newlineFollows: boolean = false): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++;
  for (let at = bytes.indexOf(0x0d); at >= 0; at = bytes.indexOf(0x0d, at + 1)) {
    const isPair = at + 1 < bytes.length ? bytes[at + 1] === 0x0a : newlineFollows;
    if (!isPair) count++;
  }
  return count;
}

const binaryFormats: readonly (readonly [
  format: string,
  magic: readonly number[],
  remedy: string,
])[] = [
  ["a zip archive or an Excel workbook", [0x50, 0x4b, 0x03, 0x04], "export the sheet as CSV"],
  ["an old Excel workbook", [0xd0, 0xcf, 0x11, 0xe0], "export the sheet as CSV"],
  ["a Parquet file", [0x50, 0x41, 0x52, 0x31], "export the data as CSV"],
  ["a PDF", [0x25, 0x50, 0x44, 0x46], "export the data as CSV"],
  ["a bzip2 file", [0x42, 0x5a, 0x68], "unpack it first"],
  ["an xz file", [0xfd, 0x37, 0x7a, 0x58, 0x5a], "unpack it first"],
  ["a Zstandard file", [0x28, 0xb5, 0x2f, 0xfd], "unpack it first"],
];

/**
 * A file's bytes as they are.
 *
 * @throws {@link DataError} when it cannot be read.
 */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  try {
    return await readRegularFile(path, Infinity);
  } catch (cause) {
    if (cause instanceof NotAFileError) throw notAFile(path, cause);
    const code = (cause as NodeJS.ErrnoException).code;
    if (path === "-" && code === "ENOENT") {
      throw new DataError(
        "-: standard input is not read as a table; write it to a file first, and give the file's name.",
        { cause },
      );
    }
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new DataError(`${path}: there is no such file; check the path.`, { cause });
    }
    if (code === "EACCES" || code === "EPERM") {
      throw new DataError(`${path}: reading is not permitted; check the file's permissions.`, {
        cause,
      });
    }
    if (code === "ERR_FS_FILE_TOO_LARGE") {
      throw new DataError(`${path}: the file is larger than 2 GiB; give a sample of its rows.`, {
        cause,
      });
    }
    throw new DataError(`${path}: the file cannot be read (${reasonOf(cause)}); check the path.`, {
      cause,
    });
  }
}

function notAFile(path: string, cause: NotAFileError): DataError {
  const remedy = cause.message.includes("folder")
    ? "give the file inside it"
    : cause.message.includes("circle")
      ? "remove it"
      : "write its contents to a file first";
  return new DataError(`${path}: ${cause.message}; ${remedy}.`, { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Offset of the first byte that does not begin or continue a UTF-8 sequence (RFC 3629, section 4). */
export function invalidUtf8At(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at]!;
    const length =
      lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length === 0 || !isUtf8(bytes.subarray(at, at + length))) return at;
    at += length;
  }
  return bytes.length;
}
