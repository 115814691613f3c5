/**
 * Counter-based random numbers: every draw is a pure function of a key and a counter, so a run that
 * resumes needs no generator state, only the number of the step. Consumers take their own stream by
 * folding a name into the key. The block function is Threefry-2x32 with 20 rounds.
 */

/** Two unsigned 32-bit words. */
export type Key = readonly [number, number];

/**
 * The key of a seed, an integer in [0, 2^53).
 *
 * @throws RangeError when the seed is not such an integer.
 */
export function keyOf(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `seed: a non-negative integer below 2^53 is required, got ${seed}; try seed: 0.`,
    );
  }
  return [Math.floor(seed / 2 ** 32), seed >>> 0];
}

/** A new, independent key: `key` with a number (a step, an epoch) or a name (a stream) mixed in. */
export function foldIn(key: Key, data: number | string): Key {
  if (typeof data === "number") return threefry2x32(key, [Math.floor(data / 2 ** 32), data >>> 0]);
  // Every character passes through the cipher, so no two names share a stream by a weak hash.
  let folded = threefry2x32(key, [data.length, 0xffffffff]);
  for (let i = 0; i < data.length; i++) folded = threefry2x32(folded, [i, data.charCodeAt(i)]);
  return folded;
}

/** `count` integers, uniform on 0 … bound-1, drawn with replacement. */
export function integers(key: Key, count: number, bound: number): Uint32Array {
  const next = words(key);
  return Uint32Array.from({ length: count }, () => below(next, bound));
}

/** A uniformly drawn order of 0 … length-1 (Fisher and Yates). */
export function permutation(key: Key, length: number): Uint32Array {
  const next = words(key);
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = below(next, i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}

/**
 * Threefry-2x32-20: encrypts a two-word counter with a two-word key.
 *
 * @see Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the test
 * uses the known answers published with Random123.
 */
export function threefry2x32(key: Key, counter: Key): Key {
  const keys = [key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bda];
  let a = (counter[0] + key[0]) | 0;
  let b = (counter[1] + key[1]) | 0;
  for (let round = 0; round < 20; round++) {
    a = (a + b) | 0;
    const turn = rotations[round % 8]!;
    b = ((b << turn) | (b >>> (32 - turn))) ^ a;
    if (round % 4 === 3) {
      const block = (round + 1) / 4;
      a = (a + keys[block % 3]!) | 0;
      b = (b + keys[(block + 1) % 3]! + block) | 0;
    }
  }
  return [a >>> 0, b >>> 0];
}

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

/** The key's words in counter order. */
function words(key: Key): () => number {
  let counter = 0;
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const word = spare;
      spare = undefined;
      return word;
    }
    const [first, second] = threefry2x32(key, [0, counter++]);
    spare = second;
    return first;
  };
}

/** Uniform on 0 … bound-1: words from the incomplete last block of 2^32 are drawn again. */
function below(next: () => number, bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  let word = next();
  while (word >= limit) word = next();
  return word % bound;
}
