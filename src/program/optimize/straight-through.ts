/**
 * Multiples of x − x, by which an objective gives a value a derivative of its own choice:
 *
 *     value + weight · (x − stop_gradient(x))      is value, with the derivative weight · dx
 *
 * jax-js writes the difference as x − x. A multiple of it is 0 and need not be computed; also where x is not finite,
 * since the term is there for its derivative only. The difference by itself is left alone: x − x tells finite numbers
 * from others.
 */
import type { Builder } from "../builder.ts";
import type { Value } from "../ir.ts";

/** Zeros that stand for such a multiple; another constant 0 times infinity is not 0. */
const multiples = new WeakSet<Value>();

/** Zero, if one of the operands of a product, or the one of a sum over axes, is such a difference or a multiple of one. */
export function multipleOfDifference(
  builder: Builder,
  operands: readonly Value[],
): Value | undefined {
  if (!operands.some((x) => multiples.has(x) || isDifference(builder, x))) return undefined;
  const zero = builder.scalar(0, operands[0]!.dtype);
  multiples.add(zero);
  return zero;
}

function isDifference(builder: Builder, value: Value): boolean {
  const definition = builder.definition(value);
  if (definition?.kind !== "apply" || definition.primitive !== "sub") return false;
  const [a, b] = definition.inputs;
  return a === b && value.dtype.startsWith("float");
}
