/** Files that say little and become much, written by hand from their formats' specifications. */
import { constants, crc32, deflateRawSync } from "node:zlib";

/** Deflated data that unpack to `piece` again and again, as one stream. */
export function deflatedRepeats(piece: Uint8Array, times: number): Buffer {
  // A full flush ends at a byte and forgets what came before, so that the packed piece can be repeated.
  const packed = deflateRawSync(piece, { finishFlush: constants.Z_FULL_FLUSH });
  const end = Buffer.from([0x03, 0x00]);
  return Buffer.concat([...Array<Buffer>(times).fill(packed), end]);
}

/** A gzip file of one member; its sum is not right, which only shows after everything is unpacked. */
export function gzipOf(piece: Uint8Array, times: number): Buffer {
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  return Buffer.concat([head, deflatedRepeats(piece, times), Buffer.alloc(8)]);
}

/** A PNG file of 8 bits a sample with any data and any further chunks before them. */
export function pngOf(
  [width, height, colorType]: readonly [number, number, number],
  data: Uint8Array,
  more: readonly (readonly [string, Uint8Array])[] = [],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colorType, 0, 0, 0], 8);
  const chunks = [["IHDR", header], ...more, ["IDAT", data], ["IEND", Buffer.alloc(0)]] as const;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    ...chunks.map(([name, bytes]) => pngChunk(name, bytes)),
  ]);
}

function pngChunk(name: string, bytes: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), bytes]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(bytes.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Deflated repeats as a zlib stream, as PNG holds it. */
export function zlibOf(piece: Uint8Array, times: number): Buffer {
  return Buffer.concat([Buffer.from([0x78, 0x9c]), deflatedRepeats(piece, times), Buffer.alloc(4)]);
}

/** A member of an archive as its list names it; `at` is where its data's header lies. */
export interface ZipEntry {
  readonly name: string;
  readonly packed: number;
  readonly unpacked: number;
  readonly at: number;
}

/** A zip file: one member's header and data, and a list that may say anything about them. */
export function zipOf(name: string, data: Uint8Array, entries: readonly ZipEntry[]): Buffer {
  const local = Buffer.alloc(30 + name.length);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(name.length, 26);
  local.write(name, 30, "latin1");
  const list = entries.map((entry) => {
    const bytes = Buffer.alloc(46 + entry.name.length);
    bytes.writeUInt32LE(0x02014b50, 0);
    bytes.writeUInt16LE(8, 10);
    bytes.writeUInt32LE(entry.packed, 20);
    bytes.writeUInt32LE(entry.unpacked, 24);
    bytes.writeUInt16LE(entry.name.length, 28);
    bytes.writeUInt32LE(entry.at, 42);
    bytes.write(entry.name, 46, "latin1");
    return bytes;
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Buffer.concat(list).length, 12);
  end.writeUInt32LE(local.length + data.length, 16);
  return Buffer.concat([local, data, ...list, end]);
}
