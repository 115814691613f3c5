/** Element types, the memory behind them, and what becomes of a number that is written in one. */
import { halfBits, halfValue } from "./half.ts";

/** Element types, named as in jax-js. */
export type DType = "float32" | "float64" | "float16" | "int32" | "uint32" | "bool";

/** Memory of a `Tensor`. `bool` is a Uint8Array of 0 and 1, `float16` a Uint16Array of bits. */
export type TypedArray =
  Float32Array | Float64Array | Uint16Array | Int32Array | Uint32Array | Uint8Array;

/** The class of each type's memory. */
const memoryOf = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

/** All element types. */
export const elementTypes: readonly DType[] = Object.keys(memoryOf) as DType[];

/** Whether `value` names an element type. */
export function isElementType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(memoryOf, value);
}

/** Fresh zeroed memory. */
export function allocate(dtype: DType, size: number): TypedArray {
  return new memoryOf[dtype](size);
}

/** What is wrong with the memory given for an element type; undefined when nothing is. */
export function wrongMemory(dtype: DType, data: unknown): string | undefined {
  const wanted = memoryOf[dtype];
  if (!(data instanceof wanted))
    return `${dtype} is kept in a ${wanted.name}, ${nameOf(data)} came`;
  if (dtype !== "bool") return undefined;
  const odd = data.find((value) => value > 1);
  return odd === undefined ? undefined : `bool is 0 and 1, ${odd} came`;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return `a ${(value as object).constructor?.name ?? typeof value}`;
}

/** The values of another type, rounded, cut off or wrapped as its memory does it. */
export function converted(data: TypedArray, from: DType, to: DType): TypedArray {
  if (from === to) return data;
  return filled(to, numbersIn(data, from));
}

/** The numbers that memory holds. */
export function numbersIn(data: TypedArray, dtype: DType): ArrayLike<number> {
  return dtype === "float16" ? Array.from(data, halfValue) : data;
}

/** Fresh memory with the given values, rounded, cut off or wrapped as it does it. */
export function filled(dtype: DType, values: ArrayLike<number>): TypedArray {
  if (dtype === "float16") return Uint16Array.from(values, halfBits);
  const data = allocate(dtype, values.length);
  for (let i = 0; i < values.length; i++)
    data[i] = dtype === "bool" ? Number(!!values[i]) : values[i]!;
  return data;
}

const integerRange = { int32: [-(2 ** 31), 2 ** 31 - 1], uint32: [0, 2 ** 32 - 1] } as const;
const largestFloat = { float16: 65504, float32: 3.4028234663852886e38, float64: Infinity } as const;

/**
 * Why a number cannot be written in an element type and still be meant: a fraction, NaN or too large a number in an
 * integer type, anything but 0 and 1 in bool, a finite number that would become infinite. Undefined when it can; rounding
 * to a floating-point type's digits is what the type is for.
 */
export function misfit(value: number, dtype: DType): string | undefined {
  switch (dtype) {
    case "bool":
      return value === 0 || value === 1
        ? undefined
        : `${value} is neither 0 nor 1; give { dtype: "float32" } (or "int32") for numbers, or compare them first`;
    case "int32":
    case "uint32": {
      const [least, most] = integerRange[dtype];
      if (!Number.isInteger(value)) {
        return `${value} is not a whole number; give { dtype: "float32" }, or round it first`;
      }
      return value >= least && value <= most
        ? undefined
        : `${value} is outside ${least} to ${most}; give { dtype: "float64" }`;
    }
    default:
      return Math.abs(value) > largestFloat[dtype] && Number.isFinite(value)
        ? `${value} is larger than ${dtype} reaches and would become infinite; give { dtype: "${dtype === "float16" ? "float32" : "float64"}" }`
        : undefined;
  }
}
