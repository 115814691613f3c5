/** A decoded image. */

/** An image as planes: gray, or red, green and blue. */
export interface Planes {
  readonly height: number;
  readonly width: number;
  /** [channels, height, width], 0 to 255. */
  readonly pixels: Uint8Array;
}
