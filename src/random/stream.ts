/**
 * The random numbers of a key: the same on every platform. Every draw is a function of a key and a counter, so that a
 * run that resumes needs no state of a generator, only the number of its step.
 */
import { philox, type Philox4, type RandomKey } from "./philox.ts";
import { normalQuantile } from "./quantiles.ts";

/** A sequence of random numbers. It has a position; make another from the same key to start again. */
export interface RandomStream {
  /** A whole number in [0, 2³²). */
  nextUint32(): number;
  /** A multiple of 2⁻⁵³ in [0, 1). */
  uniform(): number;
  /** A whole number in [0, bound), without bias; 1 ≤ bound ≤ 2³². */
  integer(bound: number): number;
  /** A standard normal number, by inversion of a 52-bit uniform one. */
  normal(): number;
  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle<T extends Int32Array | Uint32Array | Float64Array | unknown[]>(array: T): T;
}

/** The random numbers of a key, from the first. */
export function randomStream(key: RandomKey): RandomStream {
  let block: Philox4 = [0, 0, 0, 0];
  let used = 4;
  let low = 0;
  let high = 0;
  const nextUint32 = (): number => {
    if (used === 4) {
      block = philox([low, high, 0, 0], key);
      low = (low + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
      used = 0;
    }
    return block[used++]!;
  };
  const uniform = (): number => ((nextUint32() >>> 5) * 2 ** 26 + (nextUint32() >>> 6)) * 2 ** -53;
  const integer = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RangeError(`integer: the bound is a whole number from 1 to 2^32, not ${bound}.`);
    }
    // Numbers past the last whole multiple of bound would favour small remainders.
    const end = 2 ** 32 - (2 ** 32 % bound);
    let value = nextUint32();
    while (value >= end) value = nextUint32();
    return value % bound;
  };
  // (k + ½)·2⁻⁵² for whole k is exact and never 0 or 1, and symmetric about ½.
  const normal = (): number =>
    normalQuantile(((nextUint32() >>> 6) * 2 ** 26 + (nextUint32() >>> 6) + 0.5) * 2 ** -52);
  return {
    nextUint32,
    uniform,
    integer,
    normal,
    shuffle(array) {
      for (let i = array.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const kept = array[i];
        array[i] = array[j]!;
        array[j] = kept!;
      }
      return array;
    },
  };
}

/** `count` whole numbers, uniform on 0 … bound − 1, drawn with replacement. */
export function integers(key: RandomKey, count: number, bound: number): Uint32Array {
  const stream = randomStream(key);
  return Uint32Array.from({ length: count }, () => stream.integer(bound));
}

/** A uniformly drawn order of 0 … length − 1. */
export function permutation(key: RandomKey, length: number): Uint32Array {
  return randomStream(key).shuffle(Uint32Array.from({ length }, (_, i) => i));
}
