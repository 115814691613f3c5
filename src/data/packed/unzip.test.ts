import { strToU8, zipSync } from "fflate";
import { expect, test } from "vitest";
import { unzipWithin } from "./unzip.ts";

const text = "ink ".repeat(500);
const zip = zipSync({
  "a/1.txt": strToU8(text),
  "a/2.txt": [strToU8("stored"), { level: 0 }],
  "b/3.txt": strToU8(""),
  "__MACOSX/a/._1.txt": strToU8("fork"),
});

test("wanted members, packed, stored and empty", () => {
  const found = unzipWithin(zip, /^[ab]\//, 10_000);
  expect(found.map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([
    ["a/1.txt", text],
    ["a/2.txt", "stored"],
    ["b/3.txt", ""],
  ]);
  expect(unzipWithin(zip, /^c/, 1)).toEqual([]);
});

test("a comment at the end, and bytes that are part of a larger array", () => {
  const comment = Buffer.from("made by hand");
  const bytes = Buffer.concat([Buffer.alloc(7), zip, comment]).subarray(7);
  bytes.writeUInt16LE(comment.length, zip.length - 2);
  expect(unzipWithin(bytes, /2\.txt$/, 6)[0]![1].length).toBe(6);
});

test("more than the limit, summed before anything is unpacked", () => {
  expect(() => unzipWithin(zip, /./, 2005)).toThrow(
    "its members unpack to more than 2005 bytes; raise maxUnpacked (--max-unpacked) if you trust the file",
  );
});

test("every changed or missing byte is noticed, or changes nothing", () => {
  const expected = unzipWithin(zip, /^a/, 10_000);
  const read = (bytes: Uint8Array): unknown => {
    try {
      return unzipWithin(bytes, /^a/, 10_000);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      return undefined;
    }
  };
  for (let at = 0; at < zip.length; at++) {
    const changed = Uint8Array.from(zip);
    changed[at]! ^= 0x11;
    const found = read(changed);
    // The list's names have no sum of their own: another name is another member, whose contents are still right.
    if (found !== undefined) {
      const contents = (members: unknown): unknown =>
        (members as typeof expected).map(([, bytes]) => Buffer.from(bytes).toString());
      expect(contents(expected)).toEqual(expect.arrayContaining(contents(found) as string[]));
    }
    expect(read(zip.subarray(0, at))).toBeUndefined();
  }
});
