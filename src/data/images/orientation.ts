/**
 * Cameras store what the sensor saw and note, in EXIF data, how it was held. Images are turned upright as every viewer shows them.
 * Source: CIPA DC-008 (Exif 2.32), tag 0x0112.
 */
import type { Planes } from "./planes.ts";

/**
 * The orientation in EXIF data: 1 as stored, 2 mirrored, 3 upside down, 4 upside down and mirrored, 5 to 8 the same with rows and
 * columns exchanged. 1 when the data say nothing or make no sense, as viewers take it.
 *
 * @param exif - from the byte order (`II` or `MM`) on.
 */
export function orientationOf(exif: Uint8Array | undefined): number {
  if (exif === undefined || exif.length < 8) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const order = view.getUint16(0);
  if (order !== littleEndian && order !== bigEndian) return 1;
  const little = order === littleEndian;
  const start = view.getUint32(4, little);
  if (view.getUint16(2, little) !== 42 || start + 2 > exif.length) return 1;
  const entries = view.getUint16(start, little);
  for (let i = 0; i < entries; i++) {
    const at = start + 2 + 12 * i;
    if (at + 12 > exif.length) return 1;
    if (view.getUint16(at, little) !== orientationTag) continue;
    const isLong = view.getUint16(at + 2, little) === longType;
    const value = isLong ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** The image upright; the same where it already is. */
export function upright(image: Planes, orientation: number): Planes {
  if (orientation === 1) return image;
  const { height, width, pixels } = image;
  const turned = orientation >= 5;
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const [rows, columns] = turned ? [width, height] : [height, width];
  const moved = new Uint8Array(pixels.length);
  const area = height * width;
  let to = 0;
  for (let plane = 0; plane < pixels.length; plane += area) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [y, x] = turned ? [column, row] : [row, column];
        const fromRow = fromBelow ? height - 1 - y : y;
        const fromColumn = fromRight ? width - 1 - x : x;
        moved[to++] = pixels[plane + fromRow * width + fromColumn]!;
      }
    }
  }
  return { height: rows, width: columns, pixels: moved };
}

const littleEndian = 0x4949;
const bigEndian = 0x4d4d;
const orientationTag = 0x0112;
const longType = 4;
