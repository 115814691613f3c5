import { crc32, deflateSync } from "node:zlib";
import jpeg from "jpeg-js";
import { describe, expect, test } from "vitest";
import { decodeImage } from "./decode-image.ts";

/** A PNG file, by its specification: signature, header, chunks, data; every row begins with filter 0. */
function png(
  [width, height, bits, colorType]: readonly [number, number, number, number],
  rows: readonly (readonly number[])[],
  ...extra: readonly (readonly [string, readonly number[]])[]
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, colorType, 0, 0, 0], 8);
  const data = deflateSync(Uint8Array.from(rows.flatMap((row) => [0, ...row])));
  const chunks = [["IHDR", header], ...extra, ["IDAT", data], ["IEND", []]] as const;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    ...chunks.map(([name, bytes]) => chunk(name, Buffer.from(bytes))),
  ]);
}

function chunk(name: string, bytes: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), bytes]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(bytes.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

const gray = (bytes: Uint8Array): number[] => [...decodeImage(bytes, 1).pixels];
const color = (bytes: Uint8Array): number[] => [...decodeImage(bytes, 3).pixels];

describe("PNG", () => {
  test("one bit, rows padded to bytes", () => {
    const bytes = png(
      [10, 2, 1, 0],
      [
        [0b10100000, 0b01000000],
        [0b00000001, 0b10111111],
      ],
    );
    expect(decodeImage(bytes, 1)).toMatchObject({ height: 2, width: 10 });
    expect(gray(bytes).map((v) => v / 255)).toEqual([
      ...[1, 0, 1, 0, 0, 0, 0, 0, 0, 1],
      ...[0, 0, 0, 0, 0, 0, 0, 1, 1, 0],
    ]);
  });

  test("two and four bits", () => {
    expect(gray(png([4, 1, 2, 0], [[0b00011011]]))).toEqual([0, 85, 170, 255]);
    expect(gray(png([3, 1, 4, 0], [[0x0f, 0x80]]))).toEqual([0, 255, 136]);
  });

  test("eight and sixteen bits, gray as colour", () => {
    expect(color(png([2, 1, 8, 0], [[7, 200]]))).toEqual([7, 200, 7, 200, 7, 200]);
    expect(gray(png([2, 1, 16, 0], [[7, 255, 200, 1]]))).toEqual([7, 200]);
  });

  test("colour in planes, and as gray by 0.299, 0.587 and 0.114", () => {
    const bytes = png([2, 1, 8, 2], [[255, 0, 0, 10, 200, 30]]);
    expect(color(bytes)).toEqual([255, 10, 0, 200, 0, 30]);
    expect(gray(bytes)).toEqual([76, Math.round(0.299 * 10 + 0.587 * 200 + 0.114 * 30)]);
  });

  test("a palette, with and without transparent entries", () => {
    const palette = ["PLTE", [1, 2, 3, 40, 50, 60]] as const;
    expect(color(png([2, 1, 1, 3], [[0b01000000]], palette))).toEqual([1, 40, 2, 50, 3, 60]);
    const clear = png([2, 1, 1, 3], [[0b01000000]], palette, ["tRNS", [0]]);
    expect(color(clear)).toEqual([255, 40, 255, 50, 255, 60]);
  });

  test("the one transparent colour of an image without a palette shows white", () => {
    expect(gray(png([3, 1, 8, 0], [[7, 0, 200]], ["tRNS", [0, 0]]))).toEqual([7, 255, 200]);
    expect(gray(png([4, 1, 2, 0], [[0b00011011]], ["tRNS", [0, 2]]))).toEqual([0, 85, 255, 255]);
    const key = ["tRNS", [0, 1, 0, 2, 0, 3]] as const;
    expect(color(png([3, 1, 8, 2], [[1, 2, 3, 1, 2, 4, 0, 2, 3]], key))).toEqual([
      ...[255, 1, 0],
      ...[255, 2, 2],
      ...[255, 4, 3],
    ]);
    const wide = png([2, 1, 16, 0], [[9, 1, 9, 2]], ["tRNS", [9, 2]]);
    expect(gray(wide)).toEqual([9, 255]);
  });

  test("interlaced: eight bits are read, fewer are refused", () => {
    // Pass 1 is the first pixel, pass 6 the second of the first row, pass 7 the second row.
    const bytes = png([2, 2, 8, 0], [[1], [2], [3, 4]]);
    const interlaced = (file: Buffer): Buffer => {
      file[28] = 1;
      file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
      return file;
    };
    expect(gray(interlaced(bytes))).toEqual([1, 2, 3, 4]);
    expect(() => decodeImage(interlaced(png([2, 2, 1, 0], [[1], [2]])), 1)).toThrow(
      "interlaced pixels of 1 bits are unsupported, save it without",
    );
  });

  test("data of fewer rows than the header says are damage", () => {
    const bytes = png(
      [2, 3, 8, 0],
      [
        [1, 2],
        [3, 4],
      ],
    );
    expect(() => decodeImage(bytes, 1)).toThrow("it is damaged or cut off");
  });

  test("transparent pixels show white", () => {
    expect(gray(png([3, 1, 8, 4], [[0, 0, 0, 255, 0, 51]]))).toEqual([255, 0, 204]);
    expect(color(png([1, 1, 8, 6], [[100, 0, 255, 51]]))).toEqual([224, 204, 255]);
  });
});

// Files and pixels by Pillow 11.3 (libjpeg): red 10x, green 15y, blue 5x + 7y on 24 by 16 pixels.
describe("JPEG", () => {
  const places = [0, 23, 200, 360, 383];
  // The tolerance is the rounding of colours, and of colours between pixels where they are halved.
  test.each<[string, 1 | 3, number, number[][], string]>([
    [
      "baseline, full colour",
      3,
      1,
      [
        [0, 2, 1],
        [228, 2, 114],
        [79, 121, 97],
        [2, 224, 105],
        [231, 223, 220],
      ],
      [
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMU",
        "FRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU",
        "FBQUFBQUFBT/wAARCAAQABgDAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABwYI/8QAGRAAAQUAAAAAAAAAAAAAAAAAAAYH",
        "IzKh/8QAFwEBAQEBAAAAAAAAAAAAAAAABQcDCf/EABgRAAMBAQAAAAAAAAAAAAAAAAADBSEx/9oADAMBAAIRAxEAPwDEqfaisOGK",
        "3hUq/wA0S0+09YcEVvLFKv8ANExPtRWHBJbyxSr/ADS1T7UVhwni3nKmVf5omJ9p6w4JLeWKVf5omJ9qKw4IreWKVf5p/9k=",
      ].join(""),
    ],
    [
      "progressive, halved colour",
      3,
      2,
      [
        [0, 2, 3],
        [219, 6, 112],
        [81, 121, 97],
        [9, 219, 109],
        [231, 224, 218],
      ],
      [
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMU",
        "FRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU",
        "FBQUFBQUFBT/wgARCAAQABgDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABwAG/8QAFwEAAwEAAAAAAAAAAAAAAAAAAwQF",
        "B//aAAwDAQACEAMQAAABEtKg6YEg+mef1T//xAAWEAADAAAAAAAAAAAAAAAAAAAABAX/2gAIAQEAAQUCXlC8kXlC8oXki8o//8QA",
        "GREAAgMBAAAAAAAAAAAAAAAAAAUEITEj/9oACAEDAQE/AVT/ACyM/wCen//EABcRAAMBAAAAAAAAAAAAAAAAAAABAwL/2gAIAQIB",
        "AT8BxYVj/8QAFRABAQAAAAAAAAAAAAAAAAAAADH/2gAIAQEABj8CiIiI/8QAFRABAQAAAAAAAAAAAAAAAAAAADH/2gAIAQEAAT8h",
        "iwYsWDF//9oADAMBAAIAAwAAABBPP//EABURAQEAAAAAAAAAAAAAAAAAAAAh/9oACAEDAQE/EAyP/8QAFxEBAAMAAAAAAAAAAAAA",
        "AAAAACExYf/aAAgBAgEBPxDdHb//xAAVEAEBAAAAAAAAAAAAAAAAAAAA8f/aAAgBAQABPxCIgIiIgIj/2Q==",
      ].join(""),
    ],
    [
      "gray",
      1,
      0,
      [[1], [82], [106], [144], [225]],
      [
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMU",
        "FRUVDA8XGBYUGBIUFRT/wAALCAAQABgBAREA/8QAFgABAQEAAAAAAAAAAAAAAAAABwYI/8QAGRAAAQUAAAAAAAAAAAAAAAAAAAYH",
        "IzKh/9oACAEBAAA/AMSp9qKw4JafaesOCYn2orDhap9qKw4JifaesOCYn2orDh//2Q==",
      ].join(""),
    ],
  ])("%s", (_, channels, tolerance, expected, text) => {
    const { height, width, pixels } = decodeImage(Buffer.from(text, "base64"), channels);
    expect([height, width]).toEqual([16, 24]);
    for (const [i, at] of places.entries()) {
      for (let channel = 0; channel < channels; channel++) {
        const difference = pixels[channel * 384 + at]! - expected[i]![channel]!;
        expect(Math.abs(difference)).toBeLessThanOrEqual(tolerance);
      }
    }
  });
});

test("what is no image, or damaged, says so", () => {
  const good = png([1, 1, 8, 0], [[7]]);
  expect(() => decodeImage(new Uint8Array(0), 1)).toThrow("it is empty");
  expect(() => decodeImage(Buffer.from("GIF89a"), 1)).toThrow("neither PNG nor JPEG");
  const data = Uint8Array.from({ length: 4 * 16 * 16 }, (_, i) => (i * i) % 256);
  const photo = jpeg.encode({ width: 16, height: 16, data }, 80).data;
  for (const bytes of [good, photo]) {
    for (let end = 20; end < bytes.length; end++) {
      const cut = (): unknown => decodeImage(bytes.subarray(0, end), 1);
      expect(cut).toThrow("it is damaged or cut off");
    }
  }
  const flipped = Buffer.from(good);
  flipped[16]! ^= 1;
  expect(() => decodeImage(flipped, 1)).toThrow(/CRC/);
});
