/** JavaScript's typed arrays as numbers of our element types: which type they have by themselves, and which they must be told. */
import { converted, type DType, type TypedArray } from "./element-types.ts";

/** A typed array's memory where it has the type asked for, or else its numbers. */
export type TypedValues =
  | { readonly dtype: DType; readonly data: TypedArray; readonly numbers?: undefined }
  | { readonly dtype: DType; readonly data?: undefined; readonly numbers: ArrayLike<number> };

/**
 * Reads a typed array.
 *
 * @param asked - the element type that is wanted; left out, the array's own.
 * @throws TypeError when the array has none of its own, or is no array of numbers.
 */
export function typedArrayValues(values: ArrayBufferView, asked: DType | undefined): TypedValues {
  const kind = values.constructor.name;
  switch (kind) {
    case "Float32Array":
    case "Float64Array":
    case "Int32Array":
    case "Uint32Array":
      return own(values as TypedArray, ownTypes[kind], asked);
    case "Int8Array":
    case "Int16Array":
      return { dtype: asked ?? "int32", numbers: values as Int16Array };
    case "Uint8Array":
    case "Uint8ClampedArray":
    case "Buffer":
      return bytes(values as Uint8Array, asked);
    case "Uint16Array":
      return words(values as Uint16Array, asked);
    case "Float16Array": {
      const bits = new Uint16Array(values.buffer, values.byteOffset, values.byteLength / 2);
      return own(bits, "float16", asked);
    }
    case "BigInt64Array":
    case "BigUint64Array":
      return bigIntegers(values as BigInt64Array, asked);
    default:
      throw new TypeError(
        `tensor: a ${kind} is no array of numbers; give a Float32Array, Float64Array, Int32Array or Uint32Array.`,
      );
  }
}

const ownTypes = {
  Float32Array: "float32",
  Float64Array: "float64",
  Int32Array: "int32",
  Uint32Array: "uint32",
} as const;

function own(data: TypedArray, dtype: DType, asked: DType = dtype): TypedValues {
  if (asked === dtype) return { dtype, data };
  return dtype === "float16"
    ? { dtype: asked, numbers: converted(data, dtype, "float64") }
    : { dtype: asked, numbers: data };
}

/** ONNX has bytes, jax-js has none: they would be booleans, which 0 and 1 are, and pixels are not. */
function bytes(values: Uint8Array, asked: DType | undefined): TypedValues {
  const large = asked === undefined ? values.find((value) => value > 1) : undefined;
  if (large !== undefined) {
    throw new TypeError(
      `tensor: bytes above 1 (${large} came) have no element type of their own; give { dtype: "float32" } for pixels, { dtype: "int32" } for labels.`,
    );
  }
  if (asked !== undefined && asked !== "bool") return { dtype: asked, numbers: values };
  const isPlain = values.constructor === Uint8Array && values.every((value) => value <= 1);
  return isPlain ? { dtype: "bool", data: values } : { dtype: "bool", numbers: values };
}

function words(values: Uint16Array, asked: DType | undefined): TypedValues {
  if (asked === "float16") return { dtype: asked, data: values };
  if (asked !== undefined) return { dtype: asked, numbers: values };
  throw new TypeError(
    'tensor: a Uint16Array may be whole numbers or the bits of float16; give { dtype: "int32" } or "float32" for numbers, { dtype: "float16" } for bits.',
  );
}

function bigIntegers(
  values: BigInt64Array | BigUint64Array,
  asked: DType | undefined,
): TypedValues {
  if (asked === undefined) {
    throw new TypeError(
      `tensor: a ${values.constructor.name} has no element type here; give { dtype: "int32" } or "float64".`,
    );
  }
  const numbers = Array.from(values as ArrayLike<bigint>, (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new TypeError(
      `tensor: ${value} has more digits than a floating-point number keeps; subtract an offset from the ${values.constructor.name} first.`,
    );
  });
  return { dtype: asked, numbers };
}
