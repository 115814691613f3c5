/** Runs a program optimized and not, and looks into its loops. */
import { expect } from "vitest";

import { type Block, type Scan, walk, type While } from "../../src/program/ir.ts";
import type { Program } from "../../src/program/program.ts";
import {
  type Tensor,
  tensor,
  type TensorLike,
  type Tree,
} from "../../src/program/tensors/tensor.ts";

export type Outputs = Record<string, Tree<Tensor>>;

/** Runs the program optimized and not; both must agree to the last bit. */
export async function run(
  program: Program,
  inputs: Record<string, Tree<TensorLike>>,
): Promise<Outputs> {
  const results: Outputs[] = [];
  for (const optimize of [true, false]) {
    const executable = await program.compile({ optimize, threads: 1 });
    results.push((await executable.run(inputs)) as Outputs);
    await executable.dispose();
  }
  expect(results[0]).toEqual(results[1]);
  return results[0]!;
}

export const numbers = (value: Tree<Tensor>): number[] => Array.from((value as Tensor).data);

export const float64 = (values: number[]): Tensor => tensor(values, { dtype: "float64" });

/** The loops of a block, outermost first. */
export function loopsOf(block: Block): (Scan | While)[] {
  return [...walk(block)].flatMap((each) =>
    each.kind === "scan" || each.kind === "while" ? [each] : [],
  );
}
