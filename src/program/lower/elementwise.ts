/** Elementwise primitives. Most are one ONNX node; the rest are what a type or an operator set lacks. */
import type { Apply, Value } from "../ir.ts";
import type { DType } from "../tensors/tensor.ts";
import { elementNumber, type Lower, type OperationContext } from "./context.ts";
import {
  arcsine,
  arctangent,
  errorFunction,
  complementaryErrorFunction,
} from "./special/special.ts";

export const elementwise: Readonly<Record<string, Lower>> = {
  add: logicalOr("Add", "Or"),
  mul: logicalOr("Mul", "And"),
  max: logicalOr("Max", "Or"),
  min: logicalOr("Min", "And"),
  sub: simple("Sub"),
  div: simple("Div"),
  floor: float("Floor"),
  ceil: float("Ceil"),
  reciprocal: (context, operation) =>
    isFloat(operation)
      ? simple("Reciprocal")(context, operation)
      : [context.node("Div", [context.scalar(1, typeOf(operation)), ...names(context, operation)])],
  sin: float("Sin"),
  cos: float("Cos"),
  exp: float("Exp"),
  log: float("Log"),
  sqrt: float("Sqrt"),
  asin: arcsine,
  atan: arctangent,
  erf: errorFunction,
  erfc: complementaryErrorFunction,
  stop_gradient: (context, operation) => names(context, operation),

  neg(context, operation) {
    const [x] = names(context, operation);
    // ONNX has no Neg for unsigned numbers: 0 - x wraps as it should.
    if (typeOf(operation) === "uint32")
      return [context.node("Sub", [context.scalar(0, "uint32"), x!])];
    if (typeOf(operation) === "bool") return [never(context, x!)];
    return [context.node("Neg", [x!])];
  },

  /** Quotient truncated toward zero. */
  idiv(context, operation) {
    const dtype = typeOf(operation);
    if (dtype === "bool") return simple("And")(context, operation);
    if (dtype === "int32" && mayBeMinusOne(context, operation.inputs[1]!)) {
      // −2³¹ / −1 has no 32-bit result, and the processor ends the process: divide in 64 bits.
      const wide = names(context, operation).map((name) =>
        context.node("Cast", [name], { to: { int: 7 } }),
      );
      return [context.cast(context.node("Div", wide), "int32")];
    }
    const quotient = context.node("Div", names(context, operation));
    if (!isFloat(operation)) return [quotient];
    const down = context.node("Floor", [quotient]);
    const up = context.node("Ceil", [quotient]);
    const negative = context.node("Less", [quotient, context.scalar(0, dtype)]);
    return [context.node("Where", [negative, up, down])];
  },

  /** Remainder with the sign of the dividend, as in C. */
  mod(context, operation) {
    const operands = names(context, operation);
    if (typeOf(operation) === "bool") return [never(context, context.node("And", operands))];
    return [context.node("Mod", operands, { fmod: { int: 1 } })];
  },

  cast(context, operation) {
    const [x] = names(context, operation);
    const from = operation.inputs[0]!.dtype;
    const to = typeOf(operation);
    if (from === to) return [x!];
    if (from.startsWith("float") && (to === "int32" || to === "uint32")) {
      return [saturate(context, x!, from, to)];
    }
    if (from.startsWith("float") && to === "bool") {
      // NaN is false in jax-js; ONNX's Cast makes it true.
      const zero = context.scalar(0, from);
      const signs = [context.node("Less", [x!, zero]), context.node("Less", [zero, x!])];
      return [context.node("Or", signs)];
    }
    return [context.cast(x!, to)];
  },

  bitcast(context, operation) {
    const [x] = names(context, operation);
    const to = typeOf(operation);
    if (operation.inputs[0]!.dtype === to) return [x!];
    return [context.node("BitCast", [x!], { to: { int: elementNumber(to) } })];
  },

  bit_combine(context, operation) {
    const op = operation.params["op"] as "and" | "or" | "xor";
    const name = op[0]!.toUpperCase() + op.slice(1);
    const node = typeOf(operation) === "bool" ? name : `Bitwise${name}`;
    return [context.node(node, names(context, operation))];
  },

  bit_shift(context, operation) {
    const direction = operation.params["op"] === "shl" ? "LEFT" : "RIGHT";
    const bits = operation.inputs.map((input) => bitsOf(context, context.name(input), input.dtype));
    const shifted = context.node("BitShift", bits, { direction: { string: direction } });
    return [fromBits(context, shifted, typeOf(operation))];
  },

  bit_count: bitCount,

  compare(context, operation) {
    const { dtype } = operation.inputs[0]!;
    const op = operation.params["op"] as "less" | "equal" | "not_equal" | "less_equal";
    const operands = names(context, operation).map((name) =>
      dtype === "bool" && op.startsWith("less") ? context.cast(name, "int32") : name,
    );
    if (op === "not_equal") return [context.node("Not", [context.node("Equal", operands)])];
    const node = { less: "Less", equal: "Equal", less_equal: "LessOrEqual" }[op];
    return [context.node(node, operands)];
  },

  where(context, operation) {
    const [condition, a, b] = names(context, operation);
    const dtype = typeOf(operation);
    if (dtype !== "bool" && dtype !== "uint32")
      return [context.node("Where", [condition!, a!, b!])];
    // Where has no kernel for these; the detour keeps every bit.
    const [x, y] = [a!, b!].map((name) => viaInt(context, name, dtype));
    const chosen = context.node("Where", [condition!, x!, y!]);
    return [dtype === "bool" ? context.cast(chosen, "bool") : fromInt64(context, chosen)];
  },
};

/** False in the shape of a boolean array: in jax-js every boolean's negative, and every remainder. */
function never(context: OperationContext, x: string): string {
  return context.node("Xor", [x, x]);
}

function mayBeMinusOne(context: OperationContext, value: Value): boolean {
  const definition = context.lowering.definition(value);
  return definition?.kind !== "constant" || definition.tensor.data.some((item) => item === -1);
}

function names(context: OperationContext, operation: Apply): string[] {
  return operation.inputs.map((input) => context.name(input));
}

function typeOf(operation: Apply): DType {
  return operation.outputs[0]!.dtype;
}

function isFloat(operation: Apply): boolean {
  return typeOf(operation).startsWith("float");
}

function simple(op: string): Lower {
  return (context, operation) => [context.node(op, names(context, operation))];
}

/** Booleans add as "or" and multiply as "and". */
function logicalOr(op: string, logical: string): Lower {
  return (context, operation) =>
    simple(typeOf(operation) === "bool" ? logical : op)(context, operation);
}

/** Functions that ONNX has for floating point only; integers pass through float64, as in jax-js. */
function float(op: string): Lower {
  return (context, operation) => {
    if (isFloat(operation)) return simple(op)(context, operation);
    const dtype = typeOf(operation);
    if (op === "Floor" || op === "Ceil") return names(context, operation);
    const [x] = names(context, operation);
    return [context.cast(context.node(op, [context.cast(x!, "float64")]), dtype)];
  };
}

/** Float to integer: truncates and clamps to the type's range; NaN becomes 0. */
function saturate(context: OperationContext, x: string, from: DType, to: DType): string {
  const wide = from === "float64" ? x : context.cast(x, "float64");
  const [low, high] = to === "int32" ? [-2147483648, 2147483647] : [0, 4294967295];
  const floor = context.node("Max", [wide, context.scalar(low, "float64")]);
  const clamped = context.node("Min", [floor, context.scalar(high, "float64")]);
  const number = context.node("Where", [
    context.node("IsNaN", [wide]),
    context.scalar(0, "float64"),
    clamped,
  ]);
  const integer = context.node("Cast", [number], { to: { int: 7 } });
  return context.cast(integer, to);
}

function bitsOf(context: OperationContext, name: string, dtype: DType): string {
  return dtype === "uint32" ? name : context.node("BitCast", [name], { to: { int: 12 } });
}

function fromBits(context: OperationContext, name: string, dtype: DType): string {
  return dtype === "uint32"
    ? name
    : context.node("BitCast", [name], { to: { int: elementNumber(dtype) } });
}

function viaInt(context: OperationContext, name: string, dtype: DType): string {
  return dtype === "bool"
    ? context.cast(name, "int32")
    : context.node("Cast", [name], { to: { int: 7 } });
}

function fromInt64(context: OperationContext, name: string): string {
  return context.cast(name, "uint32");
}

/** Ones in a 32-bit word, by the parallel count: pairs, nibbles, bytes, then one product. */
function bitCount(context: OperationContext, operation: Apply): string[] {
  const dtype = typeOf(operation);
  const word = (value: number): string => context.scalar(value, "uint32");
  const shift = (x: string, by: number): string =>
    context.node("BitShift", [x, word(by)], { direction: { string: "RIGHT" } });
  const and = (x: string, mask: number): string => context.node("BitwiseAnd", [x, word(mask)]);
  let x = bitsOf(context, context.name(operation.inputs[0]!), dtype);
  x = context.node("Sub", [x, and(shift(x, 1), 0x55555555)]);
  x = context.node("Add", [and(x, 0x33333333), and(shift(x, 2), 0x33333333)]);
  x = and(context.node("Add", [x, shift(x, 4)]), 0x0f0f0f0f);
  x = shift(context.node("Mul", [x, word(0x01010101)]), 24);
  return [fromBits(context, x, dtype)];
}
