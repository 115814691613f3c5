/** Calls of functions whose trees the types do not know. */
import type { Value } from "./ir.ts";
import type { Program } from "./program.ts";
import type { Tree } from "./tensors/tensor.ts";

/** `program.call` of a function that returns a tree whose structure the types do not know. */
export function callTree(
  program: Program,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as `program.call`
  fn: (...args: any[]) => unknown,
  ...args: readonly Tree<Value>[]
): Tree<Value> {
  return program.call(fn as never, ...args) as Tree<Value>;
}
