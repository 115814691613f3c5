/** What a lowering rule works with: names of values, and nodes put into the right graph. */
import type { Apply, Operation, Value } from "../ir.ts";
import type { Attribute, ElementType, NodeSpec } from "../onnx.ts";
import {
  type DType,
  type Shape,
  type Tensor,
  castTensor,
  type TypedArray,
} from "../tensors/tensor.ts";

/** Kernels that a lowering may use. */
export interface Kernels {
  /** Channels of a block of the blocked convolutions; absent where there are none. */
  readonly convolutionBlock?: number;
}

/** The graphs being written, as a lowering rule sees them. */
export interface GraphWriter {
  /** Operator set version of ai.onnx. */
  readonly opset: number;
  /** What the runtime offers beyond ONNX's operators. */
  readonly kernels: Kernels;
  /** Whether every primitive takes its plainest form, none that only saves time, so that a fault can be located. */
  readonly isPlain: boolean;
  /** The operation that makes `value`; undefined for what a block is given. */
  definition(value: Value): Operation | undefined;
  /** How many operations read `value`. */
  uses(value: Value): number;
  /** Says that `name` holds `value`. */
  bind(value: Value, name: string): void;
  /** The name that holds `value` in the graph, emitting what is needed for it. */
  name(value: Value): string;
  /** The outputs of a node, of the one that is there already if the graph has the same. */
  node(
    nodes: NodeSpec[],
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, Attribute>,
    outputs?: number,
    domain?: string,
  ): string[];
  /** The name of an embedded array; equal arrays share one. */
  initializer(type: ElementType, dims: readonly number[], data: ArrayBufferView): string;
  /** The name of an embedded int64 vector. */
  ints(values: readonly number[]): string;
}

/** Writes an operation's nodes; returns the names of its outputs, in order. */
export type Lower = (context: OperationContext, operation: Apply) => readonly string[];

/** What a lowering rule sees: nodes go into the block of the operation being lowered. */
export class OperationContext {
  readonly lowering: GraphWriter;
  readonly #nodes: NodeSpec[];

  constructor(lowering: GraphWriter, nodes: NodeSpec[]) {
    this.lowering = lowering;
    this.#nodes = nodes;
  }

  get opset(): number {
    return this.lowering.opset;
  }

  name(value: Value): string {
    return this.lowering.name(value);
  }

  /** Emits a node with one output and returns its name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, Attribute>,
    domain?: string,
  ): string {
    return this.lowering.node(this.#nodes, op, inputs, attributes, 1, domain)[0]!;
  }

  /** Emits a node with several outputs. */
  nodes(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Record<string, Attribute>,
  ): string[] {
    return this.lowering.node(this.#nodes, op, inputs, attributes, outputs);
  }

  /** An embedded int64 vector: shapes, axes, starts. */
  ints(values: readonly number[]): string {
    return this.lowering.ints(values);
  }

  scalar(value: number, dtype: DType): string {
    return this.array(castTensor(value, { dtype }));
  }

  array(value: Tensor): string {
    return this.lowering.initializer(elementType(value.dtype), value.shape, value.data);
  }

  data(type: ElementType, dims: readonly number[], data: TypedArray | BigInt64Array): string {
    return this.lowering.initializer(type, dims, data);
  }

  cast(name: string, dtype: DType): string {
    return this.node("Cast", [name], { to: { int: elementNumber(dtype) } });
  }

  reshape(name: string, shape: Shape): string {
    // allowzero: a 0 in the shape is a length, not "copy the input's".
    return this.node("Reshape", [name, this.ints(shape)], { allowzero: { int: 1 } });
  }

  transpose(name: string, perm: readonly number[]): string {
    if (perm.every((axis, i) => axis === i)) return name;
    return this.node("Transpose", [name], { perm: { ints: perm } });
  }

  expand(name: string, shape: Shape): string {
    return this.node("Expand", [name, this.ints(shape)]);
  }

  /** Slice along `axes`; negative steps run backwards. */
  slice(
    name: string,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): string {
    return this.node("Slice", [name, ...[starts, ends, axes, steps].map((v) => this.ints(v))]);
  }

  /** ReduceSum, ReduceMax, ReduceMin or ReduceProd without keeping the axes. */
  reduce(op: string, name: string, axes: readonly number[], keepdims = false): string {
    const keep = { keepdims: { int: keepdims ? 1 : 0 } };
    if (op === "ReduceSum" || this.opset >= 18) {
      return this.node(op, [name, this.ints(axes)], keep);
    }
    return this.node(op, [name], { ...keep, axes: { ints: axes } });
  }
}

export function elementType(dtype: DType): ElementType {
  return dtype;
}

const numbers: Readonly<Record<DType, number>> = {
  float32: 1,
  int32: 6,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
};

export function elementNumber(dtype: DType): number {
  return numbers[dtype];
}
