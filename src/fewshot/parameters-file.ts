/** A learner's hyperparameters λ as a safetensors file: one tensor for each leaf, named by its path. */
import { checkArgument } from "../program/internal.ts";
import { decodeSafetensors, encodeSafetensors, type Tensor, type Tree } from "../program/index.ts";
import { tree } from "@jax-js/jax";
import { leafPaths } from "../bilevel/internal.ts";

/** The file's bytes. `metadata` says what the parameters are for; it comes back from {@link decodeParameters}. */
export function encodeParameters(
  lambda: Tree<Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const leaves = tree.leaves<Tensor>(lambda);
  const paths = leafPaths("lambda", lambda);
  const tensors = Object.fromEntries(paths.map((path, i) => [path, leaves[i]!]));
  return encodeSafetensors({ tensors, metadata: { ...metadata, format } });
}

/**
 * The inverse of {@link encodeParameters}.
 *
 * @param like - λ of the same learner, such as its `init`, which gives the tree.
 * @throws TypeError when the file lacks a leaf, has one too many, or one of another shape or type.
 */
export function decodeParameters(
  bytes: Uint8Array,
  like: Tree<Tensor>,
): { lambda: Tree<Tensor>; metadata: Readonly<Record<string, string>> } {
  checkArgument("decodeParameters", "bytes", bytes, "bytes");
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata["format"] !== format) {
    throw new TypeError(
      `decodeParameters: a file of the format ${format} is required, its format is ${metadata["format"] ?? "not given"}.`,
    );
  }
  const [leaves, structure] = tree.flatten<Tensor>(like);
  const paths = leafPaths("lambda", like);
  const extra = Object.keys(tensors).find((path) => !paths.includes(path));
  if (extra !== undefined) {
    throw new TypeError(
      `decodeParameters: the file has ${extra}, which this learner has not; is it another learner's?`,
    );
  }
  const read = leaves.map((leaf, i) => {
    const found = tensors[paths[i]!];
    if (String(found) === String(leaf)) return found!;
    throw new TypeError(
      `decodeParameters: ${paths[i]} must be ${leaf}, the file has ${found ?? "none"}; is it another learner's, or for other images?`,
    );
  });
  return { lambda: tree.unflatten(structure, read) as Tree<Tensor>, metadata };
}

const format = "stackelberg-fewshot/1";
