/**
 * Host arrays: what goes into a program and what comes out. A `Tensor` owns plain memory that the
 * garbage collector frees, so nobody counts references; it serializes and travels to a worker.
 */
import { Array as JaxArray, type JsTree } from "@jax-js/jax";

import {
  allocate,
  converted,
  type DType,
  elementTypes,
  filled,
  isElementType,
  misfit,
  numbersIn,
  type TypedArray,
  wrongMemory,
} from "./element-types.ts";
import { typedArrayValues } from "./typed-arrays.ts";

export { allocate, type DType, type TypedArray };

/** Lengths of an array's axes; none for a scalar. */
export type Shape = readonly number[];

/** Trees: plain objects and arrays are nodes, everything else is a leaf. */
export type Tree<T> = JsTree<T>;

/** Nested JavaScript arrays of numbers or booleans; a bare number is a scalar. */
export type Nested = number | boolean | Nested[];

/** Typed arrays whose class is no element type's memory; {@link tensor} converts them. */
export type OtherTypedArray =
  Int8Array | Int16Array | Uint8ClampedArray | BigInt64Array | BigUint64Array;

/** What a user may pass where an array is expected. Bare numbers become float32 scalars. */
export type TensorLike = Tensor | JaxArray | TypedArray | number | boolean;

/** A dense array in host memory, row-major. */
export class Tensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;

  constructor(dtype: DType, shape: Shape, data: TypedArray) {
    checkType("Tensor", dtype);
    checkShape("Tensor", shape);
    const wrong = wrongMemory(dtype, data);
    if (wrong) throw new TypeError(`Tensor: ${wrong}; tensor(values, { dtype, shape }) converts.`);
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
 * A value that the element type cannot hold is refused, not changed: a fraction or NaN in an integer type, a number beyond
 * its range, anything but 0 and 1 in bool, a finite number that would become infinite.
 *
 * @param values - a number, nested arrays, a typed array (with `options.shape`), a jax-js array, or a tensor.
 * @param options.dtype - element type; default: the typed array's own, bool for booleans, else float32. Bytes (Uint8Array)
 *   are bool when all are 0 and 1, and otherwise need a type; so do Uint16Array, whose memory also keeps float16, and
 *   BigInt arrays. Int8Array and Int16Array become int32.
 * @param options.shape - shape; default: the nesting, or one axis for a typed array.
 * @throws TypeError when the nesting is ragged, an element is no number, a value does not fit the type, or the number of
 *   elements does not fit the shape.
 */
export function tensor(
  values: Nested | TypedArray | OtherTypedArray | Tensor | JaxArray,
  options: { dtype?: DType; shape?: Shape } = {},
): Tensor {
  checkOptions(options);
  if (values instanceof Tensor || values instanceof JaxArray) {
    const given = toTensor(values);
    const dtype = options.dtype ?? given.dtype;
    if (dtype !== given.dtype) checkFit(numbersIn(given.data, given.dtype), dtype);
    const data = converted(given.data, given.dtype, dtype);
    return new Tensor(dtype, options.shape ?? given.shape, data);
  }
  if (ArrayBuffer.isView(values)) {
    const { dtype, data, numbers } = typedArrayValues(values, options.dtype);
    const shape = options.shape ?? [values.length];
    if (data) return new Tensor(dtype, shape, data);
    checkFit(numbers, dtype);
    return new Tensor(dtype, shape, filled(dtype, numbers));
  }
  const { shape, flat } = flatten(values);
  const dtype = options.dtype ?? typeOf(flat);
  const numbers = flat.map(Number);
  checkFit(numbers, dtype);
  return new Tensor(dtype, options.shape ?? shape, filled(dtype, numbers));
}

/**
 * As {@link tensor}, but what does not fit the type is rounded, cut off or wrapped, as a cast does it: for the casts of a
 * program, and its own constants.
 */
export function castTensor(
  values: number | readonly number[] | TypedArray | Tensor,
  options: { dtype?: DType; shape?: Shape } = {},
): Tensor {
  if (values instanceof Tensor) {
    const dtype = options.dtype ?? values.dtype;
    const data = converted(values.data, values.dtype, dtype);
    return new Tensor(dtype, options.shape ?? values.shape, data);
  }
  if (ArrayBuffer.isView(values)) return tensor(values, options);
  const dtype = options.dtype ?? "float32";
  const numbers = typeof values === "number" ? [values] : values;
  const own = typeof values === "number" ? [] : [values.length];
  return new Tensor(dtype, options.shape ?? own, filled(dtype, numbers));
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  checkShape("zeros", shape);
  checkType("zeros", dtype);
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

function checkOptions(options: { dtype?: DType; shape?: Shape }): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `tensor: options must be an object, for example { shape: [2, 3] }, ${described(options)} came.`,
    );
  }
  const { dtype, shape, ...rest } = options;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new TypeError(`tensor: there is no option "${unknown}"; use dtype or shape.`);
  }
  if (dtype !== undefined) checkType("tensor", dtype);
  if (shape !== undefined) checkShape("tensor", shape);
}

function checkType(where: string, dtype: unknown): void {
  if (isElementType(dtype)) return;
  throw new TypeError(
    `${where}: dtype must be one of ${elementTypes.join(", ")}, ${described(dtype)} came.`,
  );
}

function checkShape(where: string, shape: unknown): void {
  const isShape =
    Array.isArray(shape) &&
    shape.every((length: unknown) => Number.isSafeInteger(length) && (length as number) >= 0);
  if (isShape) return;
  throw new TypeError(
    `${where}: shape must be a list of whole numbers >= 0, such as [2, 3], ${described(shape)} came.`,
  );
}

/** Refuses the first value that the type cannot hold. */
function checkFit(values: ArrayLike<number>, dtype: DType): void {
  if (dtype === "float64") return;
  for (let i = 0; i < values.length; i++) {
    const wrong = misfit(values[i]!, dtype);
    if (wrong === undefined) continue;
    const place = values.length === 1 ? "the value" : `element ${i}`;
    throw new TypeError(`tensor: ${place} does not fit ${dtype}: ${wrong}.`);
  }
}

/** bool for booleans, float32 for numbers; a mixture has no type of its own. */
function typeOf(flat: readonly (number | boolean)[]): DType {
  const booleans = flat.filter((value) => typeof value === "boolean").length;
  if (booleans > 0 && booleans < flat.length) {
    throw new TypeError(
      "tensor: booleans and numbers are mixed; give one of the two, or say which with { dtype }.",
    );
  }
  return booleans > 0 ? "bool" : "float32";
}

function described(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `[${value.map(String).join(", ").slice(0, 60)}]`;
  if (typeof value === "object" && value !== null) {
    return `a ${(value.constructor as { name: string } | undefined)?.name || "object"}`;
  }
  return String(value);
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
    else if (typeof value === "number" || typeof value === "boolean") flat.push(value);
    else {
      throw new TypeError(
        `tensor: elements must be numbers or booleans, ${described(value)} came; give a number, nested arrays of numbers, or one typed array with { shape }.`,
      );
    }
  };
  walk(values, 0);
  return { shape, flat };
}
