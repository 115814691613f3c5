/** A choice between the constants 1 and 0 is a cast of the condition, several times faster than Where. */
import type { Apply, Value } from "../ir.ts";
import { sameShape } from "../ir.ts";
import type { OperationContext } from "./context.ts";

/** The `where` as a cast; undefined if its operands are not the constants 1 and 0, or 0 and 1. */
export function indicator(context: OperationContext, operation: Apply): string | undefined {
  if (context.lowering.isPlain) return undefined;
  const [condition, yes, no] = operation.inputs as [Value, Value, Value];
  const output = operation.outputs[0]!;
  if (output.dtype === "bool" || !sameShape(condition.shape, output.shape)) return undefined;
  const [a, b] = [constant(context, yes), constant(context, no)];
  if (a === 1 && b === 0) return context.cast(context.name(condition), output.dtype);
  if (a !== 0 || b !== 1) return undefined;
  return context.cast(context.node("Not", [context.name(condition)]), output.dtype);
}

/** The value of a constant of one element. -0 is not 0 here. */
function constant(context: OperationContext, value: Value): number | undefined {
  const definition = context.lowering.definition(value);
  if (definition?.kind !== "constant" || definition.tensor.size !== 1) return undefined;
  const only = Number(definition.tensor.data[0]);
  return Object.is(only, -0) ? undefined : only;
}
