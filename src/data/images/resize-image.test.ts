import { expect, test } from "vitest";
import { type Resampling, resizer } from "./resize-image.ts";

/** A gray image of 7 rows and 9 columns without any symmetry. */
const image = {
  height: 7,
  width: 9,
  pixels: Uint8Array.from({ length: 63 }, (_, i) => {
    const [x, y] = [i % 9, Math.floor(i / 9)];
    return (37 * x * x + 91 * y + 13 * x * y) % 256;
  }),
};

// What Pillow 11.3 makes of the same pixels: smaller, larger, and one side only.
test.each<[Resampling, number, number, number[]]>([
  ["lanczos", 3, 4, [92, 123, 143, 96, 142, 168, 136, 132, 118, 132, 103, 124]],
  ["nearest", 3, 4, [141, 207, 57, 203, 93, 211, 113, 55, 45, 215, 169, 163]],
  [
    "lanczos",
    3,
    9,
    [
      73, 122, 82, 133, 148, 134, 133, 111, 71, 107, 168, 168, 151, 178, 113, 137, 145, 122, 113,
      107, 148, 142, 102, 92, 112, 151, 95,
    ],
  ],
  [
    "lanczos",
    10,
    12,
    [
      0, 0, 93, 161, 78, 38, 116, 165, 55, 0, 33, 79, 29, 61, 71, 75, 148, 181, 132, 88, 137, 150,
      71, 11, 126, 191, 115, 10, 162, 234, 148, 88, 212, 255, 141, 38, 178, 236, 213, 102, 81, 85,
      155, 209, 153, 123, 161, 197, 66, 93, 186, 236, 182, 188, 212, 162, 57, 16, 104, 188, 8, 68,
      167, 196, 172, 246, 184, 40, 89, 108, 112, 112, 110, 173, 177, 94, 80, 134, 79, 26, 193, 255,
      169, 58, 222, 112, 96, 221, 214, 68, 44, 156, 166, 216, 122, 0, 130, 87, 101, 178, 179, 108,
      103, 136, 78, 96, 117, 105, 5, 114, 151, 55, 62, 163, 155, 43, 35, 46, 149, 238,
    ],
  ],
])("%s to %d by %d is Pillow's, byte for byte", (resampling, height, width, expected) => {
  expect([...resizer(height, width, resampling)(image)]).toEqual(expected);
});

test("planes are resized one by one, and one resizer takes images of any size", () => {
  const resize = resizer(3, 4, "lanczos");
  const one = resize(image);
  const three = resize({
    ...image,
    pixels: new Uint8Array([...image.pixels, ...image.pixels, ...image.pixels]),
  });
  expect([...three]).toEqual([...one, ...one, ...one]);
  expect([...resize({ height: 1, width: 2, pixels: Uint8Array.of(9, 9) })]).toEqual(
    Array(12).fill(9),
  );
});

test("an image of the size asked stays as it is", () => {
  expect(resizer(7, 9, "lanczos")(image)).toEqual(image.pixels);
});
