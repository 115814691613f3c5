/** Some leaves of a tree taken out and put back: those that carry a derivative. */
import { describeValue } from "./check-options.ts";
import { tree } from "@jax-js/jax";

import type { DType, Tree } from "./tensors/tensor.ts";

/** Some leaves of trees of one structure, such as those that carry a derivative. */
export interface Selection {
  readonly isEmpty: boolean;
  /** The selected leaves. */
  take<T>(whole: Tree<T>): T[];
  /** `whole` with its selected leaves replaced. */
  put<T>(whole: Tree<T>, leaves: readonly T[]): Tree<T>;
}

/** Selects the leaves of `like` that `keep` accepts. */
export function select<T>(like: Tree<T>, keep: (leaf: T) => boolean): Selection {
  const kept = tree.leaves<T>(like).map(keep);
  return {
    isEmpty: !kept.includes(true),
    take: <U>(whole: Tree<U>) => tree.leaves<U>(whole).filter((_, i) => kept[i]),
    put: <U>(whole: Tree<U>, leaves: readonly U[]) => {
      const [all, structure] = tree.flatten<U>(whole);
      let next = 0;
      return tree.unflatten<U>(
        structure,
        all.map((leaf, i) => (kept[i] ? leaves[next++]! : leaf)),
      );
    },
  };
}

/** Selects the floating-point leaves. */
export function selectFloats(like: Tree<{ readonly dtype: DType }>): Selection {
  return select(like, (leaf: { readonly dtype: DType } | undefined | null) => {
    if (typeof leaf?.dtype === "string") return leaf.dtype.startsWith("float");
    throw new TypeError(
      `derivative: arguments must be trees of jax-js arrays, ${describeValue(leaf)} came.`,
    );
  });
}
