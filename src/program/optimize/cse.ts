/** Common subexpressions: the same primitive on the same values is computed once. */
import type { Apply, Block, Constant, Value, ValueFactory } from "../ir.ts";
import { transform } from "./transform.ts";

const commutative = new Set(["add", "mul", "min", "max", "bit_combine"]);

/** Constants up to this many elements are compared by content. */
const smallConstant = 64;

export function eliminateCommonSubexpressions(block: Block, values: ValueFactory): Block {
  const scopes = [new Map<string, readonly Value[]>()];
  return transform(
    block,
    values,
    (builder, operation) => {
      const key = keyOf(operation);
      const known = key && scopes.map((scope) => scope.get(key)).find(Boolean);
      if (known) return known;
      builder.operation(operation);
      if (key) scopes[scopes.length - 1]!.set(key, operation.outputs);
      return operation.outputs;
    },
    { enter: () => scopes.push(new Map<string, readonly Value[]>()), leave: () => scopes.pop() },
  );
}

function keyOf(operation: Apply | Constant): string | undefined {
  if (operation.kind === "constant") {
    const { dtype, shape, data } = operation.tensor;
    if (data.length > smallConstant) return undefined;
    // -0 and NaN must stay themselves, which a plain join would lose for -0.
    const items = Array.from(data, (item) => (Object.is(item, -0) ? "-0" : String(item)));
    return `constant ${dtype} ${shape.join()} ${items.join()}`;
  }
  const ids = operation.inputs.map((input) => input.id);
  if (commutative.has(operation.primitive)) ids.sort((a, b) => a - b);
  const types = operation.outputs.map(String).join();
  return `${operation.primitive} ${JSON.stringify(operation.params)} ${ids.join()} ${types}`;
}
