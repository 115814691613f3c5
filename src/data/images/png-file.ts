/**
 * What a PNG file says of itself, and the file without what the picture does not need: its data, a colour profile or a text may
 * unpack to gigabytes, so sizes are checked before anything is decoded.
 */
import { crc32, inflateSync } from "node:zlib";
import { UnpackedError } from "../packed/unpacked.ts";

/** The parts of a PNG file that are looked at here. */
export interface PngFile {
  /** Signature and the chunks that make the picture. */
  readonly picture: Uint8Array;
  /** The EXIF data, undefined without any. */
  readonly exif: Uint8Array | undefined;
}

/**
 * Cuts a PNG file into its chunks, checks their sums, and that the data are as many as the header says.
 *
 * @param limit - most bytes of the decoded picture.
 * @throws {@link UnpackedError} above the limit, by the header; Error when chunks, data and header do not fit together.
 */
export function readPng(bytes: Uint8Array, limit: number): PngFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = [bytes.subarray(0, 8)];
  const packed: Uint8Array[] = [];
  let exif: Uint8Array | undefined;
  let size: number | undefined;
  for (let at = 8, type = ""; type !== "IEND";) {
    const length = view.getUint32(at);
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 + length;
    if (end > bytes.length) throw new RangeError(`the chunk ${type} ends after the file`);
    if (crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) {
      throw new Error(`CRC mismatch in the chunk ${type}`);
    }
    const data = bytes.subarray(at + 8, end - 4);
    if ((type === "IHDR") !== (size === undefined)) throw new Error("one IHDR comes first");
    if (type === "IHDR") size = unpackedSize(data, limit);
    if (type === "IDAT") packed.push(data);
    if (type === "eXIf") exif = data;
    const longest = longestChunk[type];
    if (longest !== undefined) {
      if (length > longest) throw new RangeError(`the chunk ${type} has ${length} bytes`);
      kept.push(bytes.subarray(at, end));
    }
    at = end;
  }
  checkData(Buffer.concat(packed), size!);
  return { picture: Buffer.concat(kept), exif };
}

/** Chunks that make the picture, with the most bytes that each may have. */
const longestChunk: Readonly<Record<string, number>> = {
  IHDR: 13,
  PLTE: 768,
  tRNS: 256,
  IDAT: Infinity,
  IEND: 0,
};

/** Samples a pixel by colour type: gray, colour, palette, and the first two with transparency. */
const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Bytes of the unpacked rows, each of which begins with its filter. */
function unpackedSize(header: Uint8Array, limit: number): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height, bits] = [view.getUint32(0), view.getUint32(4), view.getUint8(8)];
  const channels = channelsOf[view.getUint8(9)];
  if (channels === undefined || width * height === 0) throw new Error("no such header");
  if (width * height * 3 * Math.max(1, bits / 8) > limit) {
    throw new UnpackedError(`its ${width}×${height} pixels take`, limit);
  }
  const interlaced = view.getUint8(12) === 1;
  if (interlaced && bits < 8) {
    throw new Error(`interlaced pixels of ${bits} bits are unsupported, save it without`);
  }
  let size = 0;
  for (const [x, y, stepX, stepY] of interlaced ? passes : [[0, 0, 1, 1] as const]) {
    const columns = Math.max(0, Math.ceil((width - x) / stepX));
    const rows = Math.max(0, Math.ceil((height - y) / stepY));
    if (columns > 0) size += rows * (1 + Math.ceil((columns * channels * bits) / 8));
  }
  return size;
}

/** Adam7 (PNG, section 8): first column and row of each pass, and the steps to the next. */
const passes: readonly (readonly [x: number, y: number, stepX: number, stepY: number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** A few bytes too many are what some programs write. */
const slack = 1 << 16;

function checkData(packed: Uint8Array, size: number): void {
  const length = inflateSync(packed, { maxOutputLength: size + slack }).length;
  if (length < size) throw new Error(`${length} bytes are there of ${size}`);
}
