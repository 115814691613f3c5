/**
 * Host arrays: what goes into a program and what comes out. A `Tensor` owns plain memory that the
 * garbage collector frees, so nobody counts references; it serializes and travels to a worker.
 */
import { Array as JaxArray, type JsTree } from "@jax-js/jax";

import { halfBits, halfValue } from "./half.ts";

/** Element types, named as in jax-js. */
export type DType = "float32" | "float64" | "float16" | "int32" | "uint32" | "bool";

/** Lengths of an array's axes; none for a scalar. */
export type Shape = readonly number[];

/** Trees: plain objects and arrays are nodes, everything else is a leaf. */
export type Tree<T> = JsTree<T>;

/** Memory of a {@link Tensor}. `bool` is a Uint8Array of 0 and 1, `float16` a Uint16Array of bits. */
export type TypedArray =
  Float32Array | Float64Array | Uint16Array | Int32Array | Uint32Array | Uint8Array;

/** Nested JavaScript arrays of numbers or booleans; a bare number is a scalar. */
export type Nested = number | boolean | Nested[];

/** What a user may pass where an array is expected. Bare numbers become float32 scalars. */
export type TensorLike = Tensor | JaxArray | TypedArray | number | boolean;

/** A dense array in host memory, row-major. */
export class Tensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;

  constructor(dtype: DType, shape: Shape, data: TypedArray) {
    if (data.length !== sizeOf(shape)) {
      throw new TypeError(
        `Tensor: shape [${shape.join(", ")}] holds ${sizeOf(shape)} elements, the data have ${data.length}.`,
      );
    }
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length;
  }

  /** The only element as a number. Throws when there is not exactly one. */
  item(): number {
    if (this.data.length !== 1) {
      throw new TypeError(
        `Tensor.item: needs exactly one element, the shape is [${this.shape.join(", ")}].`,
      );
    }
    return this.data[0]!;
  }

  /** Nested JavaScript arrays of the tensor's shape. */
  toNested(): Nested {
    const build = (axis: number, offset: number, stride: number): Nested => {
      if (axis === this.shape.length) return this.data[offset]!;
      const length = this.shape[axis]!;
      const inner = length === 0 ? 0 : stride / length;
      return Array.from({ length }, (_, i) => build(axis + 1, offset + i * inner, inner));
    };
    return build(0, 0, this.data.length);
  }

  /** `float32[3, 4]` */
  toString(): string {
    return `${this.dtype}[${this.shape.join(", ")}]`;
  }
}

/**
 * Makes a {@link Tensor}.
 *
 * @param values - a number, nested arrays, a typed array (with `options.shape`), or a tensor.
 * @param options.dtype - element type; default: the typed array's own, bool for booleans, else float32.
 * @param options.shape - shape; default: the nesting, or one axis for a typed array.
 * @throws TypeError when the nesting is ragged or the number of elements does not fit the shape.
 */
export function tensor(
  values: Nested | TypedArray | Tensor,
  options: { dtype?: DType; shape?: Shape } = {},
): Tensor {
  if (values instanceof Tensor) {
    const dtype = options.dtype ?? values.dtype;
    const data = convert(values.data, values.dtype, dtype);
    return new Tensor(dtype, options.shape ?? values.shape, data);
  }
  if (ArrayBuffer.isView(values)) {
    const own = dtypeOf(values);
    const dtype = options.dtype ?? own;
    const data = convert(values, own, dtype);
    return new Tensor(dtype, options.shape ?? [values.length], data);
  }
  const { shape, flat } = flatten(values);
  const dtype = options.dtype ?? (typeof flat[0] === "boolean" ? "bool" : "float32");
  return new Tensor(dtype, options.shape ?? shape, fill(dtype, flat.map(Number)));
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  return new Tensor(dtype, shape, allocate(dtype, sizeOf(shape)));
}

/** Copies any accepted leaf to the host. A jax-js array is read, not consumed. */
export function toTensor(value: TensorLike): Tensor {
  if (value instanceof Tensor) return value;
  if (value instanceof JaxArray) {
    const dtype = value.dtype as DType;
    const shape = [...value.shape];
    const data = value.ref.dataSync() as unknown as TypedArray;
    if (dtype === "float16") return new Tensor(dtype, shape, new Uint16Array(data.buffer));
    return new Tensor(dtype, shape, dtype === "bool" ? Uint8Array.from(data) : data);
  }
  return tensor(value);
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Fresh zeroed memory. */
export function allocate(dtype: DType, size: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(size);
    case "float64":
      return new Float64Array(size);
    case "float16":
      return new Uint16Array(size);
    case "int32":
      return new Int32Array(size);
    case "uint32":
      return new Uint32Array(size);
    case "bool":
      return new Uint8Array(size);
  }
}

function convert(data: TypedArray, from: DType, to: DType): TypedArray {
  if (from === to) return data;
  return fill(to, from === "float16" ? Array.from(data, halfValue) : data);
}

function fill(dtype: DType, values: ArrayLike<number>): TypedArray {
  if (dtype === "float16") return Uint16Array.from(values, halfBits);
  const data = allocate(dtype, values.length);
  for (let i = 0; i < values.length; i++)
    data[i] = dtype === "bool" ? Number(!!values[i]) : values[i]!;
  return data;
}

function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint32Array) return "uint32";
  if (data instanceof Uint16Array) return "float16";
  if (data instanceof Uint8Array) return "bool";
  throw new TypeError(
    `tensor: ${(data as object).constructor.name} is not supported; use Float32Array, Float64Array, Int32Array, Uint32Array or Uint8Array (bool).`,
  );
}

function flatten(values: Nested): { shape: number[]; flat: (number | boolean)[] } {
  const shape: number[] = [];
  for (let level: Nested | undefined = values; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
  }
  const flat: (number | boolean)[] = [];
  const walk = (value: Nested, axis: number): void => {
    const expected = shape[axis];
    if (Array.isArray(value) ? value.length !== expected : expected !== undefined) {
      throw new TypeError(
        `tensor: ragged nesting, expected shape [${shape.join(", ")}], found ${Array.isArray(value) ? `${value.length} elements` : "a number"} at depth ${axis}.`,
      );
    }
    if (Array.isArray(value)) for (const item of value) walk(item, axis + 1);
    else flat.push(value);
  };
  walk(values, 0);
  return { shape, flat };
}
