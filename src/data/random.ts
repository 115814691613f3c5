/**
 * Random numbers from explicit keys: the same key gives the same numbers on every platform, and a name
 * makes an independent key, so that one consumer never shifts the numbers of another.
 *
 * The generator is Philox 4x32-10: block i of a stream is a bijection of the counter i under the key.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
import { normalQuantile } from "./quantiles.ts";

/** A Philox key, two 32-bit words. Plain data: it serializes. */
export type RandomKey = readonly [number, number];

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
  shuffle<T extends Int32Array | Float64Array | unknown[]>(array: T): T;
}

/**
 * The key of a seed, or of a named stream below it.
 *
 * @param seed - a whole number, 0 ≤ seed < 2⁵³.
 * @param names - one for each consumer, for example `randomKey(seed, "split", repeat)`.
 * @throws RangeError for another seed.
 */
export function randomKey(seed: number, ...names: (string | number)[]): RandomKey {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `randomKey: a seed is a whole number from 0 to 2^53 - 1, not ${seed}; use for example 0.`,
    );
  }
  let key: RandomKey = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  for (const name of names) key = foldName(key, name);
  return key;
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

type Philox4 = [number, number, number, number];

/** Ten rounds of Philox 4x32: counter and key to four 32-bit words. */
export function philox(counter: Readonly<Philox4>, key: RandomKey): Philox4 {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const lowA = Math.imul(0xd2511f53, a);
    const lowC = Math.imul(0xcd9e8d57, c);
    const highA = multiplyHigh(0xd2511f53, a);
    const highC = multiplyHigh(0xcd9e8d57, c);
    a = (highC ^ b ^ k0) >>> 0;
    b = lowC >>> 0;
    c = (highA ^ d ^ k1) >>> 0;
    d = lowA >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/** Upper 32 bits of the 64-bit product of two unsigned words. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) >>> 0;
}

/** Runs a name through the cipher, twelve bytes at a time; the fourth word holds kind and length. */
function foldName(key: RandomKey, name: string | number): RandomKey {
  const bytes = new TextEncoder().encode(String(name));
  const kind = typeof name === "number" ? 0x80000000 : 0x40000000;
  let folded = key;
  for (let at = 0; at === 0 || at < bytes.length; at += 12) {
    const words = [0, 0, 0];
    for (let i = 0; i < 12; i++) words[i >> 2]! |= (bytes[at + i] ?? 0) << (8 * (i & 3));
    const [a, b] = philox(
      [words[0]! >>> 0, words[1]! >>> 0, words[2]! >>> 0, (kind | bytes.length) >>> 0],
      folded,
    );
    folded = [a, b];
  }
  return folded;
}
