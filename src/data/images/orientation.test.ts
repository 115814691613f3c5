/** Orientation by its definition: where the stored image's first row and first column lie when it is shown (Exif 2.32, table 6). */
import { crc32, deflateSync } from "node:zlib";
import jpeg from "jpeg-js";
import { describe, expect, test } from "vitest";
import { decodeImage } from "./decode-image.ts";
import { orientationOf } from "./orientation.ts";

type ByteOrder = "II" | "MM";

/** EXIF data with some other tags around the orientation. */
function exif(orientation: number, order: ByteOrder, type: 3 | 4 = 3): Buffer {
  const little = order === "II";
  const short = (value: number): Buffer => {
    const bytes = Buffer.alloc(2);
    if (little) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  };
  const long = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (little) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  };
  // A short stands in the first two bytes of its four.
  const value = type === 4 ? long(orientation) : Buffer.concat([short(orientation), short(0)]);
  const entries = [
    [short(0x0100), short(4), long(1), long(24)],
    [short(0x0112), short(type), long(1), value],
    [short(0x0128), short(3), long(1), Buffer.concat([short(2), short(0)])],
  ];
  return Buffer.concat([
    Buffer.from(order, "latin1"),
    short(42),
    long(10),
    Buffer.alloc(2),
    short(entries.length),
    ...entries.flat(),
    long(0),
  ]);
}

function segment(marker: number, data: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** A JPEG file of 24 by 16 pixels in blocks of one gray, with segments before its own. */
function photo(...segments: readonly Buffer[]): Buffer {
  const data = new Uint8Array(4 * 24 * 16);
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < 24; x++) {
      data.fill(blocks[y >> 3]![x >> 3]!, 4 * (24 * y + x), 4 * (24 * y + x) + 3);
    }
  }
  const bytes = jpeg.encode({ width: 24, height: 16, data }, 100).data;
  return Buffer.concat([bytes.subarray(0, 2), ...segments, bytes.subarray(2)]);
}

const exifSegment = (data: Buffer): Buffer =>
  segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), data]));

/** Gray of the blocks as stored: two rows of three. */
const blocks = [
  [0, 40, 80],
  [120, 160, 200],
];

type Side = "top" | "bottom" | "left" | "right";

/** Where the stored row 0 and column 0 lie when the image is shown. */
const definition: readonly (readonly [orientation: number, row: Side, column: Side])[] = [
  [1, "top", "left"],
  [2, "top", "right"],
  [3, "bottom", "right"],
  [4, "bottom", "left"],
  [5, "left", "top"],
  [6, "right", "top"],
  [7, "right", "bottom"],
  [8, "left", "bottom"],
];

/** The blocks as shown: each stored row is laid along the side where row 0 lies, beginning where column 0 lies. */
function shown(row: Side, column: Side): number[][] {
  const turned = row === "left" || row === "right";
  const [rows, columns] = turned ? [3, 2] : [2, 3];
  const result = Array.from({ length: rows }, () => Array<number>(columns).fill(-1));
  const from = (side: Side, at: number, length: number): number =>
    side === "top" || side === "left" ? at : length - 1 - at;
  for (let i = 0; i < 2; i++) {
    for (let j = 0; j < 3; j++) {
      const [y, x] = turned
        ? [from(column, j, rows), from(row, i, columns)]
        : [from(row, i, rows), from(column, j, columns)];
      result[y]![x] = blocks[i]![j]!;
    }
  }
  return result;
}

/** Gray in the middle of each block. */
function blocksOf(bytes: Uint8Array): number[][] {
  const { height, width, pixels } = decodeImage(bytes, 1);
  return Array.from({ length: height / 8 }, (_, row) =>
    Array.from({ length: width / 8 }, (__, column) => {
      return pixels[(8 * row + 4) * width + 8 * column + 4]!;
    }),
  );
}

/** JPEG at its best quality is off by the rounding of a block's mean. */
function expectBlocks(found: number[][], expected: number[][]): void {
  expect(found.map((row) => row.map((v) => Math.round(v / 40)))).toEqual(
    expected.map((row) => row.map((v) => v / 40)),
  );
}

describe.each<ByteOrder>(["II", "MM"])("byte order %s", (order) => {
  test.each(definition)("orientation %i: row 0 is %s, column 0 %s", (value, row, column) => {
    expectBlocks(blocksOf(photo(exifSegment(exif(value, order)))), shown(row, column));
    expect(orientationOf(exif(value, order, 4))).toBe(value);
  });

  test.each(definition)("PNG, orientation %i: row 0 is %s, column 0 %s", (value, row, column) => {
    const { height, width, pixels } = decodeImage(png(exif(value, order)), 3);
    const expected = shown(row, column);
    expect([height, width]).toEqual([expected.length, expected[0]!.length]);
    const plane = expected.flat();
    expect([...pixels]).toEqual([...plane, ...plane, ...plane]);
  });
});

test("EXIF data behind another segment of its kind, and in the right one of two", () => {
  const other = segment(0xe1, Buffer.from("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>", "latin1"));
  expectBlocks(blocksOf(photo(other, exifSegment(exif(6, "MM")))), shown("right", "top"));
});

test("data that make no sense leave the image as it is stored", () => {
  const good = exif(6, "II");
  const stored = shown("top", "left");
  for (const wrong of [exif(0, "II"), exif(9, "MM"), exif(65_535, "II"), Buffer.from("II")]) {
    expectBlocks(blocksOf(photo(exifSegment(wrong))), stored);
  }
  for (let length = 0; length < 36; length++) {
    expect(orientationOf(good.subarray(0, length))).toBe(1);
  }
  const far = Buffer.from(good);
  far.writeUInt32LE(0xffffffff, 4);
  expect(orientationOf(far)).toBe(1);
  expect(orientationOf(undefined)).toBe(1);
});

function png(exifData: Buffer): Buffer {
  const header = Buffer.from([0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
  const data = deflateSync(Buffer.from(blocks.flatMap((row) => [0, ...row])));
  const chunks = [
    ["IHDR", header],
    ["eXIf", exifData],
    ["IDAT", data],
    ["IEND", Buffer.alloc(0)],
  ] as const;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    ...chunks.map(([name, bytes]) => {
      const body = Buffer.concat([Buffer.from(name, "latin1"), bytes]);
      const ends = Buffer.alloc(8);
      ends.writeUInt32BE(bytes.length, 0);
      ends.writeUInt32BE(crc32(body), 4);
      return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
    }),
  ]);
}
