/** PNG and JPEG files as bytes in planes. What a file is called does not matter, only what it holds. */
import { convertIndexedToRgb, decode as decodePng, hasPngSignature } from "fast-png";
import jpeg from "jpeg-js";
import { readJpeg } from "./jpeg-file.ts";
import type { Planes } from "./planes.ts";
import { orientationOf, upright } from "./orientation.ts";
import { readPng } from "./png-file.ts";
import { defaultMaxImage, UnpackedError } from "../packed/unpacked.ts";

/**
 * Decodes a PNG (1 to 16 bits, palettes, alpha) or JPEG (baseline, progressive) file.
 *
 * Colour becomes gray by the weights of ITU-R 601, 0.299, 0.587 and 0.114, in Pillow's fixed-point form. What is
 * transparent shows white paper. Of 16 bits the upper eight are kept. The image is turned upright by its EXIF orientation;
 * profiles and gamma are ignored.
 *
 * @param channels - 1 for gray, 3 for red, green and blue.
 * @param limit - most bytes that its pixels may take, three each; default {@link defaultMaxImage}.
 * @throws Error with the reason when the bytes are neither, are damaged, or say that they become more than `limit`.
 */
export function decodeImage(
  bytes: Uint8Array,
  channels: 1 | 3,
  limit: number = defaultMaxImage,
): Planes {
  const { width, height, samples, depth, exif } = samplesOf(bytes, limit);
  return upright(
    { height, width, pixels: toPlanes(samples, depth, channels) },
    orientationOf(exif),
  );
}

/** Interleaved samples of 8 bits; `depth` is 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. */
interface Samples {
  readonly width: number;
  readonly height: number;
  readonly samples: Uint8Array;
  readonly depth: number;
  readonly exif: Uint8Array | undefined;
}

function samplesOf(bytes: Uint8Array, limit: number): Samples {
  const isPng = hasPngSignature(bytes);
  if (!isPng && (bytes[0] !== 0xff || bytes[1] !== 0xd8)) {
    throw new Error(bytes.length === 0 ? "it is empty" : "it is neither PNG nor JPEG");
  }
  try {
    return isPng ? pngSamples(bytes, limit) : jpegSamples(bytes, limit);
  } catch (cause) {
    if (cause instanceof UnpackedError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/unsupported|only single frame/i.test(reason)) throw cause;
    // What the decoders stumble over in half a file ("offset is outside the bounds") says nothing to its owner.
    const sum = /^CRC mismatch/.test(reason) ? ": a CRC is wrong" : "";
    throw new Error(`it is damaged or cut off${sum}`, { cause });
  }
}

function pngSamples(bytes: Uint8Array, limit: number): Samples {
  const { picture, exif } = readPng(bytes, limit);
  const png = decodePng(picture);
  const { width, height, depth: bits, channels, palette, transparency } = png;
  const size = { width, height, exif };
  if (palette !== undefined && channels === 1) {
    return { ...size, samples: convertIndexedToRgb(png), depth: palette[0]!.length };
  }
  const data = bits < 8 ? unpackBits(png.data, width, height, bits) : png.data;
  const samples = bits === 16 ? Uint8Array.from(data, (v) => v >> 8) : (data as Uint8Array);
  if (transparency?.length !== channels) return { ...size, samples, depth: channels };
  const key = bits < 8 ? transparency.map((v) => (v * 255) / (2 ** bits - 1)) : transparency;
  return { ...size, samples: withAlpha(samples, data, key), depth: channels + 1 };
}

/** Adds a channel: 0 where a pixel has the one colour that is transparent. */
function withAlpha(
  samples: Uint8Array,
  data: ArrayLike<number>,
  key: ArrayLike<number>,
): Uint8Array {
  const channels = key.length;
  const pixels = samples.length / channels;
  const both = new Uint8Array(pixels * (channels + 1));
  for (let i = 0; i < pixels; i++) {
    let isKey = true;
    for (let channel = 0; channel < channels; channel++) {
      const at = i * channels + channel;
      both[at + i] = samples[at]!;
      isKey &&= data[at] === key[channel];
    }
    both[(i + 1) * (channels + 1) - 1] = isKey ? 0 : 255;
  }
  return both;
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

function jpegSamples(bytes: Uint8Array, limit: number): Samples {
  const { memory, exif } = readJpeg(bytes, limit);
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: Infinity,
    maxMemoryUsageInMB: memory / 2 ** 20,
  });
  return { width, height, samples: data, depth: 3, exif };
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
