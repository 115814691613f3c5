/**
 * Zeros by construction, whose multiples need not be computed:
 *
 * - a constant array of zeros, as jax-js writes the tangent of what is not differentiated;
 * - a multiple of x − x, or of sums of such, by which an objective gives a value a derivative of its own choice:
 *
 *       value + weight · (x − stop_gradient(x))      is value, with the derivative weight · dx
 *
 * Both stand for "no change", so their multiples are 0 also where the other factor is not finite; an array of zeros that
 * an objective makes itself cannot be told from a tangent, and is treated alike. The scalar 0 is an ordinary number, and
 * so is x − x by itself, which tells finite numbers from others.
 */
import type { Builder } from "../builder.ts";
import type { Apply, Value } from "../ir.ts";
import type { DType, Tensor } from "../tensors/tensor.ts";

/** Scalars that stand for such zeros; what is broadcast from one is zeros too. */
const zeros = new WeakSet<Value>();

/** The scalar that a constant array of zeros is made of. */
export function zeroOfConstant(builder: Builder, { data, dtype, size }: Tensor): Value | undefined {
  const isZeros = size > 1 && dtype.startsWith("float") && data.every((value) => value === 0);
  return isZeros ? zero(builder, dtype) : undefined;
}

/** Zero, if the operation is linear in one of its operands, and that operand is zeros by construction. */
export function zeroOfLinear(
  builder: Builder,
  { primitive, inputs, params }: Apply,
  dtype: DType,
): Value | undefined {
  if (!dtype.startsWith("float")) return undefined;
  const linear = multilinear.has(primitive)
    ? inputs
    : inputs.slice(0, linearInFirst.has(primitive) ? 1 : 0);
  if (primitive === "reduce" && params["op"] !== "Add") return undefined;
  return linear.some((x) => isNoChange(builder, x)) ? zero(builder, dtype) : undefined;
}

const multilinear: ReadonlySet<string> = new Set(["mul", "dot", "conv"]);

const linearInFirst: ReadonlySet<string> = new Set(
  "neg div cast reshape transpose broadcast reduce pad shrink flip gather pool pool_transpose".split(
    " ",
  ),
);

/** Zeros by construction, x − x, and sums and differences of a few such. */
function isNoChange(builder: Builder, value: Value, depth = 3): boolean {
  if (zeros.has(value)) return true;
  const definition = builder.definition(value);
  if (definition?.kind !== "apply" || !value.dtype.startsWith("float")) return false;
  const { primitive, inputs } = definition;
  if (primitive === "sub" && inputs[0] === inputs[1]) return true;
  const isSum = primitive === "add" || primitive === "sub";
  return isSum && depth > 0 && inputs.every((input) => isNoChange(builder, input, depth - 1));
}

function zero(builder: Builder, dtype: DType): Value {
  const value = builder.scalar(0, dtype);
  zeros.add(value);
  return value;
}
