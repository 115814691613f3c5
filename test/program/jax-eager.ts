/** jax-js's own evaluation of a function, as the reference for the compiled one. */
import { numpy as np, tree } from "@jax-js/jax";

import { type Tensor, tensor, type Tree } from "../../src/program/index.ts";
import { withBorrowedArrays } from "../../src/program/trace/ownership.ts";

/** Evaluates `fn` with jax-js alone; nobody needs `.ref` in it. */
export function eager(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  fn: (...args: any[]) => unknown,
  ...args: readonly Tree<Tensor>[]
): Tree<Tensor> {
  return withBorrowedArrays(() => {
    const arrays = args.map((arg) => tree.map(toJax, arg as Tree<object>));
    return tree.map(fromJax, fn(...arrays) as Tree<object>) as Tree<Tensor>;
  });
}

function toJax(leaf: object): np.Array {
  const { data, shape, dtype } = leaf as Tensor;
  const values = Array.from(data as ArrayLike<number>, Number);
  if (dtype === "bool") return np.reshape(np.array(values.map(Boolean)), [...shape]);
  if (dtype !== "float64") {
    return np.reshape(np.array(values, { dtype: dtype as never }), [...shape]);
  }
  // jax-js cannot read float64 data in Node 20; three float32 numbers add up to any float64.
  let rest = values;
  let sum = np.zeros([values.length], { dtype: "float64" as never });
  for (let part = 0; part < 3; part++) {
    const high = rest.map(Math.fround);
    rest = rest.map((value, i) => value - high[i]!);
    sum = np.add(sum, np.array(high).astype("float64" as never));
  }
  return np.reshape(sum, [...shape]);
}

function fromJax(leaf: object): Tensor {
  const array = leaf as np.Array;
  // A sum of booleans counts in jax-js, in an array that it still calls bool.
  const read = (array.dtype as string) === "bool" ? (v: number): number => Number(v !== 0) : Number;
  const values = Array.from(array.dataSync() as ArrayLike<number>, read);
  return tensor(values, { dtype: array.dtype as Tensor["dtype"], shape: array.shape });
}
