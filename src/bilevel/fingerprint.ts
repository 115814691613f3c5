/**
 * Short fingerprints of programs, data and seeds, so that a checkpoint can tell whether it belongs to
 * the run that wants to resume it. They guard against mistakes, not against an adversary.
 */
import { tree } from "@jax-js/jax";
import { toTensor, type TensorLike, type Tree } from "../program/tensor.ts";

/**
 * FNV-1a, 64 bits, as 16 hexadecimal digits.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/ (the test uses its published values)
 */
export function fingerprintOfBytes(...chunks: Uint8Array[]): string {
  // The 64-bit state as four 16-bit limbs, lowest first; the prime is 2^40 + 0x1b3.
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  for (const bytes of chunks) {
    for (let i = 0; i < bytes.length; i++) {
      a ^= bytes[i]!;
      const low = a * 0x1b3;
      const second = b * 0x1b3 + (low >>> 16);
      const third = c * 0x1b3 + (a << 8) + (second >>> 16);
      d = (d * 0x1b3 + (b << 8) + (third >>> 16)) & 0xffff;
      c = third & 0xffff;
      b = second & 0xffff;
      a = low & 0xffff;
    }
  }
  return [d, c, b, a].map((limb) => limb.toString(16).padStart(4, "0")).join("");
}

/** Fingerprint of a text. */
export function fingerprintOfText(text: string): string {
  return fingerprintOfBytes(new TextEncoder().encode(text));
}

/** Fingerprint of a tree of arrays: structure, dtypes, shapes and every byte of the data. */
export function fingerprintOfTree(arrays: Tree<TensorLike>): string {
  const [leaves, structure] = tree.flatten(arrays);
  const tensors = leaves.map((leaf) => toTensor(leaf as TensorLike));
  return fingerprintOfBytes(
    new TextEncoder().encode(`${structure}${tensors.join(";")}`),
    ...tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

/** Dtypes and shapes of a tree in words, e.g. `{w: float32[3], b: float32[]}`. */
export function describeTree(arrays: Tree<TensorLike>): string {
  const isNode = typeof arrays === "object" && arrays !== null;
  if (Array.isArray(arrays)) return `[${arrays.map((item) => describeTree(item)).join(", ")}]`;
  if (isNode && Object.getPrototypeOf(arrays) === Object.prototype) {
    const entries = Object.entries(arrays as Record<string, Tree<TensorLike>>);
    return `{${entries.map(([name, item]) => `${name}: ${describeTree(item)}`).join(", ")}}`;
  }
  return `${toTensor(arrays as TensorLike)}`;
}
