/** PNG and JPEG files as bytes in planes. What a file is called does not matter, only what it holds. */
import { convertIndexedToRgb, decode as decodePng, hasPngSignature } from "fast-png";
import jpeg from "jpeg-js";

/** An image as planes: gray, or red, green and blue. */
export interface Planes {
  readonly height: number;
  readonly width: number;
  /** [channels, height, width], 0 to 255. */
  readonly pixels: Uint8Array;
}

/**
 * Decodes a PNG (1 to 16 bits, palettes, alpha) or JPEG (baseline, progressive) file.
 *
 * Colour becomes gray by the weights of ITU-R 601, 0.299, 0.587 and 0.114, in Pillow's fixed-point form. What is
 * transparent shows white paper. Of 16 bits the upper eight are kept. Profiles, gamma and EXIF orientation are ignored.
 *
 * @param channels - 1 for gray, 3 for red, green and blue.
 * @throws Error with the reason when the bytes are neither, or are damaged.
 */
export function decodeImage(bytes: Uint8Array, channels: 1 | 3): Planes {
  const { width, height, samples, depth } = samplesOf(bytes);
  return { height, width, pixels: toPlanes(samples, depth, channels) };
}

/** Interleaved samples of 8 bits; `depth` is 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. */
interface Samples {
  readonly width: number;
  readonly height: number;
  readonly samples: Uint8Array;
  readonly depth: number;
}

function samplesOf(bytes: Uint8Array): Samples {
  const isPng = hasPngSignature(bytes);
  if (!isPng && (bytes[0] !== 0xff || bytes[1] !== 0xd8)) {
    throw new Error(bytes.length === 0 ? "it is empty" : "it is neither PNG nor JPEG");
  }
  try {
    return isPng ? pngSamples(bytes) : jpegSamples(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/limit exceeded|unsupported|only single frame/i.test(reason)) throw cause;
    // What the decoders stumble over in half a file ("offset is outside the bounds") says nothing to its owner.
    const sum = /^CRC mismatch/.test(reason) ? ": a CRC is wrong" : "";
    throw new Error(`it is damaged or cut off${sum}`, { cause });
  }
}

function pngSamples(bytes: Uint8Array): Samples {
  const png = decodePng(bytes, { checkCrc: true });
  const { width, height, data, depth, channels, palette } = png;
  if (palette !== undefined) {
    return { width, height, samples: convertIndexedToRgb(png), depth: palette[0]!.length };
  }
  if (depth === 16) {
    return { width, height, samples: Uint8Array.from(data, (v) => v >> 8), depth: channels };
  }
  if (depth === 8) return { width, height, samples: data as Uint8Array, depth: channels };
  return { width, height, samples: unpackBits(data, width, height, depth), depth: 1 };
}

/** Gray of 1, 2 or 4 bits; every row begins at a byte. */
function unpackBits(
  data: ArrayLike<number>,
  width: number,
  height: number,
  bits: number,
): Uint8Array {
  const mask = 2 ** bits - 1;
  const white = 255 / mask;
  const stride = Math.ceil((width * bits) / 8);
  const samples = new Uint8Array(width * height);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * bits;
      const byte = data[row * stride + (bit >> 3)]!;
      samples[to++] = ((byte >> (8 - bits - (bit & 7))) & mask) * white;
    }
  }
  return samples;
}

function jpegSamples(bytes: Uint8Array): Samples {
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
  });
  return { width, height, samples: data, depth: 3 };
}

function toPlanes(samples: Uint8Array, depth: number, channels: 1 | 3): Uint8Array {
  if (depth === channels && channels === 1) return samples;
  const area = samples.length / depth;
  const colored = depth >= 3;
  const transparent = depth % 2 === 0;
  const pixels = new Uint8Array(channels * area);
  for (let i = 0; i < area; i++) {
    const at = i * depth;
    const alpha = transparent ? samples[at + depth - 1]! : 255;
    const onPaper = (sample: number): number => 255 + Math.round(((sample - 255) * alpha) / 255);
    const red = onPaper(samples[at]!);
    const green = colored ? onPaper(samples[at + 1]!) : red;
    const blue = colored ? onPaper(samples[at + 2]!) : red;
    if (channels === 1) {
      // 65536 times the weights; they add up to 65536, so that gray stays as it is.
      pixels[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    } else {
      pixels[i] = red;
      pixels[area + i] = green;
      pixels[2 * area + i] = blue;
    }
  }
  return pixels;
}
