/**
 * Resizing as Pillow does it, so that images agree with those of the usual Python pipelines byte for byte.
 * Source: Pillow's documentation of its filters, and its fixed-point arithmetic for 8-bit channels.
 */
import type { Planes } from "./planes.ts";

/**
 * How pixels are resampled. `lanczos`: antialiased, windowed sinc with three lobes, w(x) = sinc(x)·sinc(x/3) for |x| < 3,
 * stretched by the factor of reduction. `nearest`: the pixel at the centre.
 */
export type Resampling = "lanczos" | "nearest";

/**
 * Makes a function that resizes every plane of an image to `height` by `width`; the sides are stretched independently.
 * It remembers the weights for the sizes it has met.
 */
export function resizer(
  height: number,
  width: number,
  resampling: Resampling,
): (image: Planes) => Uint8Array {
  const tapsOf = remember(resampling === "lanczos" ? lanczosTaps : nearestTaps);
  return (image) => {
    if (image.height === height && image.width === width) return image.pixels;
    const channels = image.pixels.length / (image.height * image.width);
    // Rows first, then columns, each rounded to bytes: Pillow's order.
    const wide = resampleRows(image.pixels, image.width, tapsOf(image.width, width));
    const turned = transposePlanes(wide, channels, image.height, width);
    const tall = resampleRows(turned, image.height, tapsOf(image.height, height));
    return transposePlanes(tall, channels, width, height);
  };
}

/** The pixels one output pixel is made of: from `start` on, with weights in units of 2⁻²². */
interface Taps {
  readonly start: number;
  readonly weights: Int32Array;
}

const bits = 22;
const unit = 2 ** bits;

function remember(
  tapsOf: (from: number, to: number) => readonly Taps[],
): (from: number, to: number) => readonly Taps[] {
  const known = new Map<string, readonly Taps[]>();
  return (from, to) => {
    const name = `${from} ${to}`;
    const taps = known.get(name) ?? tapsOf(from, to);
    known.set(name, taps);
    return taps;
  };
}

function lanczosTaps(from: number, to: number): readonly Taps[] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const lobes = 3;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - lobes * stretch + 0.5));
    const end = Math.min(from, Math.trunc(centre + lobes * stretch + 0.5));
    const weights = Array.from({ length: end - start }, (_, k) => {
      const x = (start + k - centre + 0.5) / stretch;
      return Math.abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0;
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    return { start, weights: Int32Array.from(weights, (w) => roundAway((w / sum) * unit)) };
  });
}

function nearestTaps(from: number, to: number): readonly Taps[] {
  return Array.from({ length: to }, (_, i) => ({
    start: Math.floor((i + 0.5) * (from / to)),
    weights: Int32Array.of(unit),
  }));
}

function resampleRows(pixels: Uint8Array, width: number, taps: readonly Taps[]): Uint8Array {
  const rows = pixels.length / width;
  const resampled = new Uint8ClampedArray(rows * taps.length);
  for (let i = 0; i < taps.length; i++) {
    const { start, weights } = taps[i]!;
    for (let row = 0; row < rows; row++) {
      // 32 bits are enough: weights add up to 2²², their absolute values to less than twice that.
      let sum = unit / 2;
      const from = row * width + start;
      for (let k = 0; k < weights.length; k++) {
        sum = (sum + Math.imul(pixels[from + k]!, weights[k]!)) | 0;
      }
      resampled[row * taps.length + i] = sum >> bits;
    }
  }
  return new Uint8Array(resampled.buffer);
}

function transposePlanes(
  pixels: Uint8Array,
  channels: number,
  height: number,
  width: number,
): Uint8Array {
  const turned = new Uint8Array(pixels.length);
  let to = 0;
  for (let plane = 0; plane < channels; plane++) {
    for (let column = 0; column < width; column++) {
      for (let row = 0; row < height; row++) {
        turned[to++] = pixels[(plane * height + row) * width + column]!;
      }
    }
  }
  return turned;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** To the nearest whole number, halves away from zero. */
function roundAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}
