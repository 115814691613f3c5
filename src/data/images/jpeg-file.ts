/** What a JPEG file says of itself before it is decoded: its size and its EXIF data. */
import { UnpackedError } from "../packed/unpacked.ts";

/** The parts of a JPEG file that are looked at here. */
export interface JpegFile {
  /** Bytes that decoding takes at most, as the decoder counts them. */
  readonly memory: number;
  /** The EXIF data, from their byte order on; undefined without any. */
  readonly exif: Uint8Array | undefined;
}

/** Cameras write one scan or some ten; each costs a pass over the picture, however short it is. */
const mostScans = 100;

/**
 * Reads the segments before the first scan.
 *
 * @param limit - most bytes of the decoded picture.
 * @throws {@link UnpackedError} above the limit; Error when there is not one frame before the first scan, when the file is too
 *   short for its frame, or has too many scans.
 */
export function readJpeg(bytes: Uint8Array, limit: number): JpegFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let exif: Uint8Array | undefined;
  let memory: number | undefined;
  let at = 2;
  for (let marker = view.getUint16(at); marker !== startOfScan; marker = view.getUint16(at)) {
    if (marker >>> 8 !== 0xff) throw new Error("no marker where a segment begins");
    // A marker may be padded with 0xff.
    if (marker === 0xffff) {
      at++;
      continue;
    }
    const length = view.getUint16(at + 2);
    const data = bytes.subarray(at + 4, at + 2 + length);
    if (marker === exifSegment && exif === undefined && startsWith(data, exifName)) {
      exif = data.subarray(exifName.length);
    }
    if (isFrame(marker)) {
      if (memory !== undefined) throw new Error("only single frame pictures are read");
      memory = decodingMemory(view, at + 5, limit);
    }
    at += 2 + length;
  }
  if (memory === undefined) throw new Error("no frame before the first scan");
  checkScans(bytes);
  return { memory, exif };
}

/** SOF0 to SOF15, but for DHT, JPG and DAC, which lie among them. */
function isFrame(marker: number): boolean {
  return marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
}

const startOfScan = 0xffda;
const exifSegment = 0xffe1;
const exifName = [0x45, 0x78, 0x69, 0x66, 0, 0];

/** @param at - where the frame's height stands. */
function decodingMemory(view: DataView, at: number, limit: number): number {
  const [height, width, components] = [
    view.getUint16(at),
    view.getUint16(at + 2),
    view.getUint8(at + 4),
  ];
  if (width * height * 3 > limit) {
    throw new UnpackedError(`its ${width}×${height} pixels take`, limit);
  }
  if (components > 4) throw new Error(`${components} components are unsupported`);
  if (width * height * components === 0) throw new Error("a frame without pixels");
  // Each block of 64 pixels takes at least one bit.
  if ((width * height) / 64 > 8 * view.byteLength) throw new Error("too short for its size");
  // Blocks are made for whole units of up to 15 by 15 of them: a coefficient of 4 bytes and a sample of 1 for each pixel, then
  // the picture twice. Tables are small.
  const padded = (width + 8 * 15) * (height + 8 * 15);
  return padded * components * 5 + width * height * (components + 3) + (1 << 20);
}

function checkScans(bytes: Uint8Array): void {
  const marker = Buffer.from([0xff, 0xda]);
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let scans = 0;
  for (let at = all.indexOf(marker); at >= 0; at = all.indexOf(marker, at + 2)) scans++;
  if (scans > mostScans) throw new Error(`more than ${mostScans} scans are unsupported`);
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}
