/**
 * Writes a jaxpr's equations into a program. jax-js promotes mixed and weakly typed operands inside
 * each primitive; here every promotion becomes an explicit cast, so that the rest of the program works
 * on strictly typed values.
 */
import { type Jaxpr } from "@jax-js/jax";

import { checkBareNumber, checkOperand, worthOf } from "./trace/bare-numbers.ts";
import type { Builder } from "./builder.ts";
import { expansions } from "./expand/index.ts";
import type { Value } from "./ir.ts";
import type { Traced } from "./trace/trace.ts";
import { type DType, castTensor } from "./tensors/tensor.ts";

type Atom = Jaxpr["outs"][number];
type Equation = Jaxpr["eqns"][number];

/** Inlines `traced` into the builder's open block and returns its results, in order. */
export function inline(builder: Builder, traced: Traced, args: readonly Value[]): Value[] {
  const { jaxpr, constants } = traced;
  const known = new Map<Atom, Value>();
  jaxpr.inBinders.forEach((binder, i) => {
    const constant = constants[i];
    if (constant) known.set(binder, builder.constant(constant));
    else if (i >= constants.length) known.set(binder, args[i - constants.length]!);
  });
  const read = (atom: Atom, dtype: DType): Value =>
    "value" in atom
      ? builder.constant(castTensor(inRange(Number(atom.value), dtype), { dtype }))
      : builder.cast(known.get(atom)!, dtype);
  // A bare number, or what is made of bare numbers alone, is float32 to jax-js. Here it is kept in
  // float64 until it meets an array's type, so that 1/3 in a float64 program is 1/3.
  const isBare = (atom: Atom): boolean =>
    atom.aval.weakType &&
    dtypeOf(atom) === "float32" &&
    ("value" in atom || known.get(atom)!.dtype === "float64");

  const numbers = new Map<Atom, number>();
  const numberOf = (atom: Atom): number =>
    "value" in atom ? Number(atom.value) : (numbers.get(atom) ?? NaN);
  for (const equation of jaxpr.eqns) {
    const outputs = apply(builder, equation, read, isBare, numberOf);
    if (equation.inputs.every(isBare)) {
      const worth = worthOf(equation.primitive as string, equation.inputs.map(numberOf));
      numbers.set(equation.outBinders[0]!, worth);
    }
    equation.outBinders.forEach((binder, i) => known.set(binder, outputs[i]!));
  }
  return jaxpr.outs.map((out, i) => read(out, traced.outputTypes[i]!));
}

function apply(
  builder: Builder,
  equation: Equation,
  read: (atom: Atom, dtype: DType) => Value,
  isBare: (atom: Atom) => boolean,
  numberOf: (atom: Atom) => number,
): Value[] {
  const primitive = equation.primitive as string;
  const allBare = equation.inputs.length > 0 && equation.inputs.every(isBare);
  const outputs = equation.outBinders.map((binder) => {
    const dtype = dtypeOf(binder);
    const stays = allBare && binder.aval.weakType && dtype === "float32";
    return { shape: binder.aval.shape, dtype: stays ? ("float64" as const) : dtype };
  });
  const types = operandTypes(primitive, equation, outputs[0]!.dtype, isBare);
  checkNumbers(builder.origin, equation, types, isBare, numberOf);
  const inputs = equation.inputs.map((atom, i) => read(atom, types[i]!));
  if (primitive === "stop_gradient") return inputs;
  const expand = expansions[primitive];
  if (expand) return expand(builder, inputs, equation.params);
  return builder.apply(primitive, inputs, equation.params, outputs);
}

/** Refuses numbers and functions of arrays that the types jax-js chooses cannot hold. */
function checkNumbers(
  origin: string,
  { inputs, primitive, params, outBinders }: Equation,
  types: readonly DType[],
  isBare: (atom: Atom) => boolean,
  numberOf: (atom: Atom) => number,
): void {
  const name = primitive as string;
  const text = ({ aval }: Atom): string => `${aval.dtype}[${aval.shape.join(", ")}]`;
  const [first] = inputs;
  const result = dtypeOf(outBinders[0]!);
  if (first && !isBare(first)) checkOperand(origin, name, params, text(first), result);
  // The condition of `where` chooses, and gives no type.
  const operands = name === "where" ? inputs.slice(1) : inputs;
  const array = operands.find((atom) => !isBare(atom));
  inputs.forEach((atom, i) => {
    if (isBare(atom)) checkBareNumber(origin, name, numberOf(atom), text(array ?? atom), types[i]!);
  });
}

/**
 * Primitives whose operands take the type of the result. Movement is among them because jax-js drops
 * products with 1.0 together with the promotion they make: it may broadcast an int32 "to" float64.
 */
const promoting = new Set(
  (
    "add mul idiv mod min max bit_combine dot conv concatenate neg reduce " +
    "reshape transpose broadcast flip shrink pad split"
  ).split(" "),
);

function operandTypes(
  primitive: string,
  { inputs }: Equation,
  result: DType,
  isBare: (atom: Atom) => boolean,
): DType[] {
  if (promoting.has(primitive)) return inputs.map(() => result);
  if (primitive === "where") return ["bool", result, result];
  if (primitive === "compare") {
    const common = promote(inputs[0]!, inputs[1]!);
    return [common, common];
  }
  return inputs.map((atom) =>
    isBare(atom) && result.startsWith("float") ? result : dtypeOf(atom),
  );
}

const order: readonly DType[] = ["bool", "uint32", "int32", "float16", "float32", "float64"];

/** jax-js's promotion: a weakly typed operand (a bare number) adapts to the other one. */
function promote(a: Atom, b: Atom): DType {
  const rank = (atom: Atom): number => order.indexOf(dtypeOf(atom));
  const [weakA, weakB] = [a.aval.weakType, b.aval.weakType];
  if (weakA === weakB) return order[Math.max(rank(a), rank(b))]!;
  return order[Math.max(rank(weakA ? b : a), order.indexOf("uint32"))]!;
}

/** A bare number that becomes an integer saturates, as jax-js's casts do. */
function inRange(value: number, dtype: DType): number {
  if (dtype === "int32") return Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1);
  return dtype === "uint32" ? Math.min(Math.max(value, 0), 2 ** 32 - 1) : value;
}

function dtypeOf(atom: Atom): DType {
  return atom.aval.dtype as DType;
}
