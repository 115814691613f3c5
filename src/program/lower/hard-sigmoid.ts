/** min(max(α·x, 0), 1) is ONNX's HardSigmoid: one pass over memory for three. */
import type { Apply, Operation, Value } from "../ir.ts";
import type { OperationContext } from "./context.ts";

/** The parts of such a `min`. */
interface HardSigmoid {
  readonly x: Value;
  readonly alpha: number;
  /** max(α·x, 0) and α·x, which become one with it if nobody else reads them. */
  readonly inside: readonly [Value, Value];
}

type Definition = (value: Value) => Operation | undefined;

/** Reads an operation as such a `min` in float32; undefined where it is something else. */
export function readHardSigmoid(
  operation: Operation,
  definition: Definition,
): HardSigmoid | undefined {
  const ramp = besideNumber(operation, "min", definition);
  const product = ramp?.number === 1 ? definition(ramp.value) : undefined;
  const line = product && besideNumber(product, "max", definition);
  const scaled = line?.number === 0 ? definition(line.value) : undefined;
  const factor = scaled && besideNumber(scaled, "mul", definition);
  if (!ramp || !line || factor?.value.dtype !== "float32") return undefined;
  return { x: factor.value, alpha: factor.number, inside: [ramp.value, line.value] };
}

/** The `min` as one node; undefined where it is something else. */
export function hardSigmoid(context: OperationContext, operation: Apply): string | undefined {
  const { lowering } = context;
  const found = readHardSigmoid(operation, (value) => lowering.definition(value));
  if (!found || lowering.isPlain) return undefined;
  if (found.inside.some((value) => lowering.uses(value) !== 1)) return undefined;
  const attributes = { alpha: { float: found.alpha }, beta: { float: 0 } };
  return context.node("HardSigmoid", [context.name(found.x)], attributes);
}

/** A primitive's operands, if one is an array and the other a number. */
function besideNumber(
  operation: Operation,
  primitive: string,
  definition: Definition,
): { value: Value; number: number } | undefined {
  if (operation.kind !== "apply" || operation.primitive !== primitive) return undefined;
  const [a, b] = operation.inputs as [Value, Value];
  for (const [value, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const constant = definition(other);
    if (constant?.kind !== "constant" || constant.tensor.size !== 1) continue;
    if (value.shape.length < other.shape.length) continue;
    return { value, number: Number(constant.tensor.data[0]) };
  }
  return undefined;
}
