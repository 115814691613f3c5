/** What ties a tree of arrays to the names of a program's inputs and outputs. */
import type { tree } from "@jax-js/jax";
import type { Value } from "./ir.ts";

/** Named inputs or outputs of a program: the tree's structure and its leaves, in order. */
export interface Binding {
  readonly name: string;
  readonly structure: ReturnType<typeof tree.structure>;
  readonly leaves: readonly Value[];
}
