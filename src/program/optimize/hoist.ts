/** Moves work that does not depend on a loop's carry or slices out of the loop's body. */
import type { Builder } from "../builder.ts";
import { type Block, type Operation, type Value, type ValueFactory, walk } from "../ir.ts";
import { transform } from "./transform.ts";

export function hoist(block: Block, values: ValueFactory): Block {
  const depths = new Map<Value, number>();
  const mark = (outputs: readonly Value[], depth: number): number => {
    for (const output of outputs) depths.set(output, depth);
    return depth;
  };
  const depthOf = (used: readonly Value[]): number =>
    used.reduce((depth, value) => Math.max(depth, depths.get(value) ?? 0), 0);

  markParameters(block, 0, mark);
  const place = (builder: Builder, operation: Operation): number => {
    const depth = Math.min(builder.depth, depthOf(freeValues(operation)));
    return mark(operation.outputs, depth);
  };
  return transform(
    block,
    values,
    (builder, operation) => {
      builder.operation(operation, place(builder, operation));
      return operation.outputs;
    },
    { place },
  );
}

function markParameters(
  block: Block,
  depth: number,
  mark: (values: readonly Value[], depth: number) => void,
): void {
  mark(block.parameters, depth);
  for (const operation of block.operations) {
    if (operation.kind === "scan" || operation.kind === "while") {
      markParameters(operation.body, depth + 1, mark);
    }
  }
}

/** What an operation reads: its inputs and, for a loop, whatever its body takes from outside. */
function freeValues(operation: Operation): readonly Value[] {
  if (operation.kind !== "scan" && operation.kind !== "while") return operation.inputs;
  const free = [...operation.inputs];
  const bound = new Set<Value>(operation.body.parameters);
  for (const inner of walk(operation.body)) {
    inner.outputs.forEach((output) => bound.add(output));
    if (inner.kind === "scan" || inner.kind === "while") {
      inner.body.parameters.forEach((parameter) => bound.add(parameter));
      free.push(...inner.body.results);
    }
    free.push(...inner.inputs);
  }
  free.push(...operation.body.results);
  return free.filter((value) => !bound.has(value));
}
