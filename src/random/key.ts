/** Keys: of a seed, and of the consumers below it, each with a name, so that one never shifts the numbers of another. */
import { philox, type RandomKey } from "./philox.ts";

/**
 * The key of a seed, or of a named stream below it.
 *
 * @param seed - a whole number, 0 ≤ seed < 2⁵³.
 * @param names - one for each consumer, for example `randomKey(seed, "split", repeat)`.
 * @throws RangeError for another seed.
 */
export function randomKey(seed: number, ...names: readonly (string | number)[]): RandomKey {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `seed: a whole number from 0 to 2^53 - 1 is required, got ${seed}; use for example 0.`,
    );
  }
  return foldIn([seed >>> 0, Math.floor(seed / 2 ** 32)], ...names);
}

/** A new, independent key: `key` with names (of a stream) or numbers (a step, an epoch) mixed in, one after the other. */
export function foldIn(key: RandomKey, ...names: readonly (string | number)[]): RandomKey {
  return names.reduce<RandomKey>(foldName, key);
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
