/**
 * The intermediate representation of a program: blocks of operations over values, in single
 * assignment. Loops are operations whose body is a block; a body may use any value of the blocks
 * around it.
 */
import type { DType, Shape, Tensor } from "./tensors/tensor.ts";

/** A symbolic array inside a program. */
export class Value {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;

  constructor(id: number, shape: Shape, dtype: DType) {
    this.id = id;
    this.shape = shape;
    this.dtype = dtype;
  }

  /** `float32[3, 4]` */
  toString(): string {
    return `${this.dtype}[${this.shape.join(", ")}]`;
  }
}

/** Static parameters of a primitive, as in jax-js. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Params = Readonly<Record<string, any>>;

/** A jax-js primitive, or one of ours (`sub`, `div`), on strictly typed operands. */
export interface Apply {
  readonly kind: "apply";
  readonly primitive: string;
  readonly params: Params;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Name of the function that asked for it, for error messages. */
  readonly origin: string;
}

export interface Constant {
  readonly kind: "constant";
  readonly tensor: Tensor;
  readonly inputs: readonly [];
  readonly outputs: readonly [Value];
}

/**
 * Runs `body` `length` times. Inputs are the initial carry, then the stacked arrays; body parameters
 * the carry, then one slice of each; body results the carry, then one slice of each stacked output;
 * outputs the last carry, then the stacked outputs, always in index order.
 */
export interface Scan {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: number;
  readonly inputs: readonly Value[];
  readonly body: Block;
  readonly outputs: readonly Value[];
}

/**
 * Runs `body` while its first result is true, at most `limit` times. The first input says whether to
 * start; the others are the carry. Body parameters are the carry.
 */
export interface While {
  readonly kind: "while";
  readonly limit: number;
  readonly inputs: readonly Value[];
  readonly body: Block;
  readonly outputs: readonly Value[];
}

export type Operation = Apply | Constant | Scan | While;

/** Operations in program order, with what they take from outside by name and what they hand back. */
export interface Block {
  readonly parameters: readonly Value[];
  readonly operations: readonly Operation[];
  readonly results: readonly Value[];
}

/** Hands out values with distinct ids. */
export class ValueFactory {
  #next = 0;

  create(shape: Shape, dtype: DType): Value {
    return new Value(this.#next++, [...shape], dtype);
  }
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** NumPy broadcasting. Callers guarantee that the shapes are compatible. */
export function broadcastShapes(...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return lengths.find((length) => length !== 1) ?? 1;
  });
}

/** All operations of a block and of the loop bodies inside it, outermost first. */
export function* walk(block: Block): Generator<Operation> {
  for (const operation of block.operations) {
    yield operation;
    if (operation.kind === "scan" || operation.kind === "while") yield* walk(operation.body);
  }
}

/**
 * For a reshape that only adds or removes axes of length one: the axis of `from` that each axis of `to`
 * shows, none for an axis of length one. Undefined for any other reshape.
 */
export function throughUnitReshape(from: Shape, to: Shape): (number | undefined)[] | undefined {
  const long = (shape: Shape): number[] => [...shape.keys()].filter((axis) => shape[axis] !== 1);
  const [source, target] = [long(from), long(to)];
  if (source.length !== target.length) return undefined;
  if (source.some((axis, i) => from[axis] !== to[target[i]!])) return undefined;
  return to.map((length, axis) => (length === 1 ? undefined : source[target.indexOf(axis)]));
}
