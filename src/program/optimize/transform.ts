/** Replays a block through a new builder; a pass is the rule that decides what each operation becomes. */
import { Builder } from "../builder.ts";
import type { Apply, Block, Constant, Operation, Scan, Value, ValueFactory, While } from "../ir.ts";

/** Returns the values that stand for the operation's outputs. Its inputs are already replaced. */
export type Rule = (builder: Builder, operation: Apply | Constant) => readonly Value[];

/** Where a loop is put: the depth of its block. */
export type LoopPlacement = (builder: Builder, loop: Scan | While) => number;

export function transform(
  block: Block,
  values: ValueFactory,
  rule: Rule,
  hooks: { place?: LoopPlacement; enter?: () => void; leave?: () => void } = {},
): Block {
  const builder = new Builder(values);
  const replaced = new Map<Value, Value>();
  const current = (value: Value): Value => replaced.get(value) ?? value;

  const replay = (operation: Operation): void => {
    const inputs = operation.inputs.map(current);
    if (operation.kind === "apply" || operation.kind === "constant") {
      const moved = operation.kind === "apply" ? { ...operation, inputs } : operation;
      builder.origin = operation.kind === "apply" ? operation.origin : builder.origin;
      const results = rule(builder, moved);
      operation.outputs.forEach((output, i) => {
        if (results[i] !== output) replaced.set(output, results[i]!);
      });
      return;
    }
    hooks.enter?.();
    const body = builder.block(() => {
      operation.body.operations.forEach(replay);
      return operation.body.results.map(current);
    }, operation.body.parameters);
    hooks.leave?.();
    const loop = { ...operation, inputs, body };
    builder.operation(loop, hooks.place?.(builder, loop));
  };

  block.operations.forEach(replay);
  return builder.finish(block.results.map(current), block.parameters);
}

/** The rule that changes nothing. */
export function keep(builder: Builder, operation: Apply | Constant): readonly Value[] {
  builder.operation(operation);
  return operation.outputs;
}
