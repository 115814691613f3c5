/** Appends operations to the innermost open block. The one place where operations are made. */
import {
  type Block,
  broadcastShapes,
  type Operation,
  type Params,
  type Value,
  ValueFactory,
} from "./ir.ts";
import type { Tensor } from "./tensors/tensor.ts";
import { type DType, type Shape, castTensor, type TypedArray } from "./tensors/tensor.ts";

interface OpenBlock {
  readonly parameters: Value[];
  readonly operations: Operation[];
}

export class Builder {
  readonly values: ValueFactory;
  readonly #open: OpenBlock[] = [{ parameters: [], operations: [] }];
  readonly #definitions = new Map<Value, Operation>();
  /** Name of the function being inlined, recorded on each operation for error messages. */
  origin = "program";

  constructor(values: ValueFactory = new ValueFactory()) {
    this.values = values;
  }

  /** Number of loop bodies around the innermost open block. */
  get depth(): number {
    return this.#open.length - 1;
  }

  /** The operation that makes `value`; none for parameters. */
  definition(value: Value): Operation | undefined {
    return this.#definitions.get(value);
  }

  get #block(): OpenBlock {
    return this.#open[this.#open.length - 1]!;
  }

  /** A parameter of the innermost open block. */
  parameter(shape: Shape, dtype: DType): Value {
    const value = this.values.create(shape, dtype);
    this.#block.parameters.push(value);
    return value;
  }

  constant(value: Tensor): Value {
    const output = this.values.create(value.shape, value.dtype);
    this.operation({ kind: "constant", tensor: value, inputs: [], outputs: [output] });
    return output;
  }

  scalar(value: number, dtype: DType): Value {
    return this.constant(castTensor(value, { dtype }));
  }

  vector(values: TypedArray): Value {
    return this.constant(castTensor(values));
  }

  /** Applies a primitive to operands that already have the types it needs. */
  apply(
    primitive: string,
    inputs: readonly Value[],
    params: Params,
    outputs: readonly { shape: Shape; dtype: DType }[],
  ): Value[] {
    const results = outputs.map(({ shape, dtype }) => this.values.create(shape, dtype));
    const { origin } = this;
    this.operation({ kind: "apply", primitive, params, inputs, outputs: results, origin });
    return results;
  }

  /** A primitive that acts element by element, with NumPy broadcasting; the result has the operands' type. */
  elementwise(primitive: string, inputs: readonly Value[], params: Params = {}): Value {
    const shape = broadcastShapes(...inputs.map((input) => input.shape));
    const dtype = inputs[inputs.length - 1]!.dtype;
    return this.apply(primitive, inputs, params, [{ shape, dtype }])[0]!;
  }

  cast(value: Value, dtype: DType): Value {
    if (value.dtype === dtype) return value;
    return this.apply("cast", [value], { dtype }, [{ shape: value.shape, dtype }])[0]!;
  }

  reshape(value: Value, shape: Shape): Value {
    return this.apply("reshape", [value], { shape }, [{ shape, dtype: value.dtype }])[0]!;
  }

  /** Appends a ready operation to the open block at `depth`, by default the innermost. */
  operation(operation: Operation, depth: number = this.depth): void {
    this.#open[depth]!.operations.push(operation);
    for (const output of operation.outputs) this.#definitions.set(output, operation);
  }

  /** Opens a block, lets `build` fill it, and closes it. */
  block(build: () => readonly Value[], parameters: readonly Value[] = []): Block {
    const open: OpenBlock = { parameters: [...parameters], operations: [] };
    this.#open.push(open);
    try {
      const results = build();
      return { parameters: open.parameters, operations: open.operations, results };
    } finally {
      this.#open.pop();
    }
  }

  /** The outermost block, with the given results. */
  finish(results: readonly Value[], parameters?: readonly Value[]): Block {
    const root = this.#open[0]!;
    return { parameters: parameters ?? root.parameters, operations: root.operations, results };
  }
}
