import * as zlib from "node:zlib";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.ts";

test("the check value of the standard", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe("cbf43926");
  expect(crc32()).toBe("00000000");
});

test("as zlib, for every length and for parts", () => {
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i * i * 31 + 7) % 256);
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    const expected = zlib.crc32(part).toString(16).padStart(8, "0");
    expect(crc32(part)).toBe(expected);
    expect(crc32(part.subarray(0, length >> 1), part.subarray(length >> 1))).toBe(expected);
  }
});
