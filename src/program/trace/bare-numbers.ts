/**
 * Bare numbers in an objective: what `0.5` or `-(1 / 3)` is worth where it meets an array. jax-js gives it the array's
 * type, so that 2.5 times a boolean mask is 2 and half an integer is 0, without a word; here that is an error.
 */
import { type DType, misfit } from "../tensors/element-types.ts";
import { TraceError } from "./trace.ts";

/** Values of bare numbers through the primitives that are applied to them alone; of others nothing is known. */
const worth: Readonly<Record<string, (...values: number[]) => number>> = {
  neg: (a) => -a,
  reciprocal: (a) => 1 / a,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  ceil: Math.ceil,
  reshape: (a) => a,
  broadcast: (a) => a,
  transpose: (a) => a,
  stop_gradient: (a) => a,
};

/** What a primitive makes of bare numbers; NaN when it is not known. */
export function worthOf(primitive: string, values: readonly number[]): number {
  return worth[primitive]?.(...values) ?? NaN;
}

/**
 * Refuses a bare number that the integer or boolean type of the array it meets cannot hold.
 *
 * @param operand - the array, as `int32[3]`.
 * @param where - the function that is traced.
 * @throws {@link TraceError} with the remedy.
 */
export function checkBareNumber(
  where: string,
  primitive: string,
  value: number,
  operand: string,
  dtype: DType,
): void {
  if (dtype.startsWith("float") || misfit(value, dtype) === undefined) return;
  const number = Number.isNaN(value) ? "a number" : String(value);
  throw new TraceError(
    `${where}: ${number} meets ${operand} in ${wordFor[primitive] ?? primitive}, whose result is ${dtype} and cannot hold it; cast the array first, with .astype(np.float32).`,
  );
}

/** Functions whose values are fractions, which jax-js cuts off for integers. */
const fractional = new Set("sin cos tan asin atan exp log erf erfc sqrt reciprocal".split(" "));

/**
 * Refuses what jax-js computes in a type that cannot hold it: the exponential of an integer is cut off, the negative of a
 * boolean is that boolean, so that `1 - mask` is always true, and the sum of booleans says whether there is one.
 *
 * @throws {@link TraceError} with the remedy.
 */
export function checkOperand(
  where: string,
  primitive: string,
  params: unknown,
  operand: string,
  dtype: DType,
): void {
  const refuse = (what: string): never => {
    throw new TraceError(
      `${where}: ${what} is ${dtype} to jax-js; cast the array first, with .astype(np.float32).`,
    );
  };
  if (fractional.has(primitive) && !dtype.startsWith("float")) refuse(`${primitive} of ${operand}`);
  if (dtype !== "bool") return;
  if (primitive === "neg") refuse(`the negative of ${operand}, or a difference with it,`);
  const { op } = params as { op?: string };
  if (primitive === "reduce" && op?.toLowerCase() === "add") refuse(`the sum of ${operand}`);
}

const wordFor: Readonly<Record<string, string>> = {
  add: "a sum or difference",
  mul: "a product or quotient",
  compare: "a comparison",
  idiv: "a division",
  mod: "a remainder",
  min: "a minimum",
  max: "a maximum",
};
