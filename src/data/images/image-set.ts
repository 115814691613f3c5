/**
 * Images by class, in memory as bytes. Loaders make them (`omniglot`, `miniImageNet`, `imageFolder`), episodes are
 * drawn from them. A class is a run of consecutive images, so that a subset or a rotation is again such a set.
 */
import { checkNumbers } from "../check-given.ts";
import { checkArgument } from "../../program/internal.ts";
import { Tensor } from "../../program/index.ts";
import { plural } from "../words.ts";

/** Images of one size, grouped by class. Images of class i are `offsets[i]` to `offsets[i + 1] − 1`. */
export interface ImageSet {
  readonly height: number;
  readonly width: number;
  /** 1 for gray, 3 for red, green and blue. */
  readonly channels: number;
  /** Names, one a class. */
  readonly classes: readonly string[];
  /** [classes + 1], ascending from 0 to the number of images. */
  readonly offsets: readonly number[];
  /** [images, channels, height, width], 0 to 255. */
  readonly pixels: Uint8Array;
  /** Dark ink on light paper: values are 1 − v/255, so that ink is 1, instead of v/255. Default false. */
  readonly invert?: boolean;
}

/** Sets without a class in common. */
export interface ImageSplits {
  readonly train: ImageSet;
  /** Chooses the best model; may have no classes. */
  readonly validation: ImageSet;
  readonly test: ImageSet;
}

/**
 * Every class four times, as classes of their own: turned counter-clockwise by 0, 90, 180 and 270 degrees, always from
 * the upright image. Pixels move exactly, none is interpolated. Class i becomes classes 4i to 4i + 3, with `/rot000`,
 * `/rot090`, `/rot180` and `/rot270` behind the name.
 *
 * @throws RangeError when the images are not square.
 */
export function rotations(set: ImageSet): ImageSet {
  checkImageSet(set, "rotations");
  const { height: side, width, channels, classes, offsets, pixels } = set;
  if (side !== width) {
    throw new RangeError(
      `rotations: needs square images, these are ${side} by ${width}; read them at a square size.`,
    );
  }
  const area = side * side;
  const sources = [0, 1, 2, 3].map((turns) => turnedPixels(side, turns));
  const turned = new Uint8Array(4 * pixels.length);
  let to = 0;
  for (let i = 0; i < classes.length; i++) {
    for (const source of sources) {
      for (let plane = offsets[i]! * channels; plane < offsets[i + 1]! * channels; plane++) {
        for (let at = 0; at < area; at++) turned[to++] = pixels[plane * area + source[at]!]!;
      }
    }
  }
  return {
    ...set,
    classes: classes.flatMap((name) => ["000", "090", "180", "270"].map((d) => `${name}/rot${d}`)),
    offsets: cumulate(classes.flatMap((_, i) => Array<number>(4).fill(countOf(set, i)))),
    pixels: turned,
  };
}

/**
 * The classes with these indexes, in this order, as a set of their own.
 *
 * @throws RangeError for an index that is no class.
 */
export function selectClasses(set: ImageSet, indexes: readonly number[]): ImageSet {
  checkImageSet(set, "selectClasses");
  checkNumbers("selectClasses", "indexes", indexes);
  const { classes, offsets, pixels } = set;
  const wrong = indexes.find((i) => classes[i] === undefined);
  if (wrong !== undefined) {
    throw new RangeError(
      `selectClasses: the classes are 0 to ${classes.length - 1}, ${wrong} is none of them.`,
    );
  }
  const size = bytesOf(set);
  const counts = indexes.map((i) => countOf(set, i));
  const starts = cumulate(counts);
  const selected = new Uint8Array(starts.at(-1)! * size);
  for (const [k, i] of indexes.entries()) {
    selected.set(pixels.subarray(offsets[i]! * size, offsets[i + 1]! * size), starts[k]! * size);
  }
  return { ...set, classes: indexes.map((i) => classes[i]!), offsets: starts, pixels: selected };
}

/**
 * Images as numbers in [0, 1]: v/255, or 1 − v/255 where the set says `invert`.
 *
 * @param images - indexes of images in the set.
 * @returns float32 [images, channels, height, width].
 * @throws RangeError for an index that is no image.
 */
export function imageTensor(set: ImageSet, images: readonly number[]): Tensor {
  checkImageSet(set, "imageTensor");
  checkNumbers("imageTensor", "images", images);
  const data = new Float32Array(images.length * bytesOf(set));
  writeImages(set, images, data, 0);
  return new Tensor("float32", [images.length, set.channels, set.height, set.width], data);
}

/** Writes the values of images from `start` on; returns where it ended. */
export function writeImages(
  set: ImageSet,
  images: readonly number[],
  target: Float32Array,
  start: number,
): number {
  const { pixels, offsets, invert = false } = set;
  const values = Float32Array.from({ length: 256 }, (_, v) => (invert ? 255 - v : v) / 255);
  const size = bytesOf(set);
  let to = start;
  for (const image of images) {
    if (!(Number.isInteger(image) && image >= 0 && image < offsets.at(-1)!)) {
      throw new RangeError(
        `imageTensor: the images are 0 to ${offsets.at(-1)! - 1}, ${image} is none of them.`,
      );
    }
    for (let from = image * size; from < (image + 1) * size; from++)
      target[to++] = values[pixels[from]!]!;
  }
  return to;
}

/** Number of images of a class. */
export function countOf(set: ImageSet, index: number): number {
  return set.offsets[index + 1]! - set.offsets[index]!;
}

/** Running sums with a leading zero: counts of classes become offsets. */
export function cumulate(counts: readonly number[]): number[] {
  const offsets = [0];
  for (const count of counts) offsets.push(offsets.at(-1)! + count);
  return offsets;
}

/** Refuses a set whose parts do not fit together. */
export function checkImageSet(set: ImageSet, where: string): void {
  checkArgument(where, "set", set, "object");
  const { height, width, channels, classes, offsets, pixels } = set;
  if (![height, width, channels].every((length) => Number.isInteger(length) && length > 0)) {
    throw new RangeError(
      `${where}: images need whole numbers of channels, rows and columns, these have ${channels}, ${height} and ${width}.`,
    );
  }
  const rises = offsets.every((offset, i) => offset >= (i === 0 ? 0 : offsets[i - 1]!));
  if (offsets.length !== classes.length + 1 || offsets[0] !== 0 || !rises) {
    throw new RangeError(
      `${where}: offsets are one more than the classes and ascend from 0; ${offsets.length} came for ${classes.length} classes.`,
    );
  }
  const size = height * width * channels;
  if (pixels.length !== offsets.at(-1)! * size) {
    throw new RangeError(
      `${where}: ${plural(offsets.at(-1)!, "image")} of ${channels}×${height}×${width} need ${offsets.at(-1)! * size} bytes, the set has ${pixels.length}.`,
    );
  }
}

/** Bytes of one image. */
function bytesOf(set: ImageSet): number {
  return set.channels * set.height * set.width;
}

/** For each pixel of the image after counter-clockwise quarter turns, the index of the pixel it comes from. */
function turnedPixels(side: number, turns: number): Int32Array {
  return Int32Array.from({ length: side * side }, (_, at) => {
    let [row, column] = [Math.floor(at / side), at % side];
    for (let turn = 0; turn < turns; turn++) [row, column] = [column, side - 1 - row];
    return row * side + column;
  });
}
