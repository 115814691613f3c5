/**
 * Short fingerprints of programs, data and seeds, so that a checkpoint can tell whether it belongs to
 * the run that wants to resume it. They guard against mistakes, not against an adversary.
 */
import { tree } from "@jax-js/jax";
import { fingerprintOfBytes } from "./fingerprint.ts";
import { toTensor, type TensorLike, type Tree } from "./tensor.ts";

export { fingerprintOfBytes };

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
