import { expect, test } from "vitest";
import { type ImageSet, imageTensor, rotations, selectClasses } from "./image-set.ts";

/** Class "a" with one image and "b" with two, each 2 by 2 in two channels, bytes 0 to 23. */
const set: ImageSet = {
  height: 2,
  width: 2,
  channels: 2,
  classes: ["a", "b"],
  offsets: [0, 1, 3],
  pixels: Uint8Array.from({ length: 24 }, (_, i) => i),
};

test("quarter turns, counter-clockwise, each from the upright image", () => {
  const turned = rotations({
    ...set,
    height: 3,
    width: 3,
    channels: 1,
    classes: ["a"],
    offsets: [0, 1],
    pixels: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]),
  });
  expect(turned.classes).toEqual(["a/rot000", "a/rot090", "a/rot180", "a/rot270"]);
  expect(turned.offsets).toEqual([0, 1, 2, 3, 4]);
  expect([...turned.pixels]).toEqual(
    [
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      [3, 6, 9, 2, 5, 8, 1, 4, 7],
      [9, 8, 7, 6, 5, 4, 3, 2, 1],
      [7, 4, 1, 8, 5, 2, 9, 6, 3],
    ].flat(),
  );
});

test("a class stays together when it turns, and so do channels", () => {
  const turned = rotations(set);
  expect(turned.classes.slice(3, 6)).toEqual(["a/rot270", "b/rot000", "b/rot090"]);
  expect(turned.offsets).toEqual([0, 1, 2, 3, 4, 6, 8, 10, 12]);
  expect([...turned.pixels.subarray(4 * 8, 6 * 8)]).toEqual([...set.pixels.subarray(8)]);
  expect([...turned.pixels.subarray(6 * 8, 7 * 8)]).toEqual([9, 11, 8, 10, 13, 15, 12, 14]);
});

test("four quarter turns are none", () => {
  const turned = (one: ImageSet): ImageSet => selectClasses(rotations(one), [1]);
  const one = selectClasses(set, [1]);
  const again = turned(turned(turned(turned(one))));
  expect(again.pixels).toEqual(one.pixels);
  expect(turned(one).pixels).not.toEqual(one.pixels);
});

test("only squares turn", () => {
  const tall = { ...set, height: 4, width: 1 };
  expect(() => rotations(tall)).toThrow("needs square images, these are 4 by 1");
});

test("classes are selected in the order asked", () => {
  const chosen = selectClasses(set, [1, 0]);
  expect(chosen.classes).toEqual(["b", "a"]);
  expect(chosen.offsets).toEqual([0, 2, 3]);
  expect([...chosen.pixels]).toEqual([...set.pixels.subarray(8), ...set.pixels.subarray(0, 8)]);
  expect(() => selectClasses(set, [2])).toThrow("the classes are 0 to 1, 2 is none of them");
});

test("values are in [0, 1], inverted where ink is dark", () => {
  const bytes = { ...set, pixels: Uint8Array.from([0, 51, 255, ...Array<number>(21).fill(102)]) };
  const plain = imageTensor(bytes, [0, 2]);
  expect(plain.toString()).toBe("float32[2, 2, 2, 2]");
  expect([...plain.data.subarray(0, 3)]).toEqual([0, Math.fround(0.2), 1]);
  expect([...plain.data.subarray(8)]).toEqual(Array(8).fill(Math.fround(0.4)));
  const inverted = imageTensor({ ...bytes, invert: true }, [0]);
  expect([...inverted.data.subarray(0, 4)]).toEqual([1, Math.fround(0.8), 0, Math.fround(0.6)]);
  expect(() => imageTensor(set, [3])).toThrow("the images are 0 to 2, 3 is none of them");
});

test.each([
  ["whole numbers of channels, rows and columns", { height: 0 }],
  ["offsets are one more than the classes", { offsets: [0, 3] }],
  ["offsets are one more than the classes", { offsets: [0, 3, 2] }],
  ["offsets are one more than the classes", { offsets: [1, 2, 3] }],
  ["3 images of 2×2×2 need 24 bytes, the set has 5", { pixels: new Uint8Array(5) }],
])("a set whose parts do not fit is refused: %s", (message, part) => {
  expect(() => imageTensor({ ...set, ...part }, [0])).toThrow(message);
});
