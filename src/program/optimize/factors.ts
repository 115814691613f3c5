/**
 * Signs and constant factors, gathered. They travel outward through products, sums over axes and sums of multiples by the
 * same number, until they meet a factor that the loop does not change, or a small one, and are multiplied with that:
 *
 *     −(c·(x·y))         becomes  x·(−c·y)        where the loop changes x and not y, or y is small
 *     c·a − c·b          becomes  c·(a − b)
 *     Σ c·x              becomes  c·Σ x
 *
 * A small array in a loop costs as much by its number of operations as by its size. The numbers are the same up to
 * rounding, and factors beyond 2^±20 stay where they are, so that no product comes nearer to overflow than that.
 */
import type { Builder } from "../builder.ts";
import {
  type Apply,
  type Block,
  broadcastShapes,
  sameShape,
  type Value,
  type ValueFactory,
  walk,
} from "../ir.ts";
import { sizeOf, castTensor } from "../tensors/tensor.ts";
import { transform } from "./transform.ts";

/** A multiple of a value, or of a product of two that is not written yet. */
interface Multiple {
  readonly factor: number;
  readonly parts: readonly [Value] | readonly [Value, Value];
  /** Loop bodies around it. */
  readonly depth: number;
}

const largest = 2 ** 20;

/** From here on a pass over the array costs more than a node. */
const manyElements = 4096;

export function gatherFactors(block: Block, values: ValueFactory): Block {
  const readers = countReaders(block);
  const writer = new Writer(block.parameters);
  return transform(
    block,
    values,
    (builder, operation) => {
      if (operation.kind === "constant") {
        builder.operation(operation);
        return writer.mark(operation.outputs, builder.depth);
      }
      const [output] = operation.outputs;
      const multiple = multipleOf(writer, builder, operation);
      if (multiple === undefined) {
        const inputs = operation.inputs.map((input) =>
          writer.write(builder, writer.read(builder, input)),
        );
        builder.operation({ ...operation, inputs });
        return writer.mark(operation.outputs, builder.depth);
      }
      if (readers.get(output!) !== 1) return [writer.write(builder, multiple)];
      writer.wait(output!, multiple);
      return [output!];
    },
    {
      place: (builder, loop) => {
        writer.mark(loop.outputs, builder.depth);
        return builder.depth;
      },
    },
  );
}

/** The operation's result as a multiple; undefined where it stays as it is. */
function multipleOf(writer: Writer, builder: Builder, operation: Apply): Multiple | undefined {
  const { primitive, inputs, outputs, params } = operation;
  const output = outputs[0]!;
  const { depth } = builder;
  if (output.dtype !== "float32" && output.dtype !== "float64") return undefined;
  const [a, b] = inputs.map((input) => writer.read(builder, input));
  const one = (value: Value): Multiple => ({ factor: 1, parts: [value], depth });
  if (primitive === "neg") return { ...a!, factor: -a!.factor, depth };
  if (primitive === "mul") {
    for (const [value, other] of [inputs, inputs.toReversed()] as [Value, Value][]) {
      const factor = constantFactor(builder, other);
      const multiple = writer.read(builder, value);
      if (factor === undefined || !sameShape(value.shape, output.shape)) continue;
      return scaled(multiple, factor) ?? scaled(one(writer.write(builder, multiple)), factor);
    }
    return productOf(writer, builder, a!, b!);
  }
  if (primitive === "add" || primitive === "sub") {
    if (inputs[0] === inputs[1]) {
      return primitive === "add" ? scaled({ ...a!, depth }, 2) : undefined;
    }
    return sumOf(writer, builder, a!, primitive === "add" ? b! : { ...b!, factor: -b!.factor });
  }
  const isSum = primitive === "reduce" && params["op"] === "Add";
  if (!isSum || a!.factor === 1 || writer.cheapPart(a!) >= 0) return undefined;
  const inner = writer.write(builder, { ...a!, factor: 1 });
  const [core] = builder.apply(primitive, [inner], params, [output]);
  writer.mark([core!], depth);
  return { factor: a!.factor, parts: [core!], depth };
}

function productOf(writer: Writer, builder: Builder, a: Multiple, b: Multiple): Multiple {
  const { depth } = builder;
  const factor = a.factor * b.factor;
  const absorbing = [a, b].find((multiple) => writer.cheapPart(multiple) >= 0);
  const isKept = absorbing === undefined && isModerate(factor);
  // A square's factor is in both its parts, and so is any that is out of range.
  const isApart = a === b || !isModerate(factor);
  const write = (multiple: Multiple): Value => {
    if (!isKept && isApart) return writer.write(builder, multiple);
    return writer.write(builder, { ...multiple, factor: multiple === absorbing ? factor : 1 });
  };
  const first = write(a);
  return { factor: isKept ? factor : 1, parts: [first, a === b ? first : write(b)], depth };
}

/** a + b, when one number can be taken out of it. */
function sumOf(writer: Writer, builder: Builder, a: Multiple, b: Multiple): Multiple | undefined {
  const { depth } = builder;
  const isFree = [a, b].every((x) => x.factor === 1 || writer.cheapPart(x) >= 0);
  if (isFree || Math.abs(a.factor) !== Math.abs(b.factor)) return undefined;
  // The first is the one that is added where the other is subtracted.
  const [first, second] = a.factor > 0 || b.factor < 0 ? [a, b] : [b, a];
  const operands = [first, second].map((x) => writer.write(builder, { ...x, factor: 1 }));
  const core = builder.elementwise(a.factor === b.factor ? "add" : "sub", operands);
  writer.mark([core], depth);
  return { factor: first.factor, parts: [core], depth };
}

function scaled(multiple: Multiple, by: number): Multiple | undefined {
  const factor = multiple.factor * by;
  return isModerate(factor) ? { ...multiple, factor } : undefined;
}

function isModerate(factor: number): boolean {
  return Math.abs(factor) <= largest && Math.abs(factor) >= 1 / largest;
}

/** The number that a value is, if it may travel. */
function constantFactor(builder: Builder, value: Value): number | undefined {
  const definition = builder.definition(value);
  if (definition?.kind !== "constant" || definition.tensor.size !== 1) return undefined;
  const factor = Number(definition.tensor.data[0]);
  return isModerate(factor) ? factor : undefined;
}

/** Writes multiples where they are needed, and knows which values a loop does not change. */
class Writer {
  readonly #depths = new Map<Value, number>();
  readonly #waiting = new Map<Value, Multiple>();
  /** Multiples that were written, by value and factor. */
  readonly #multiples = new Map<Value, Map<number, Value>>();

  constructor(parameters: readonly Value[]) {
    this.mark(parameters, 0);
  }

  mark(values: readonly Value[], depth: number): readonly Value[] {
    for (const value of values) this.#depths.set(value, depth);
    return values;
  }

  /** Leaves a value unwritten until its one reader comes. */
  wait(value: Value, multiple: Multiple): void {
    this.#waiting.set(value, multiple);
  }

  read({ depth }: Builder, value: Value): Multiple {
    return this.#waiting.get(value) ?? { factor: 1, parts: [value], depth };
  }

  /** Which part of a product takes a factor for nothing: it is outside of the loop, or small; −1 where there is none. */
  cheapPart({ parts, depth }: Multiple): number {
    if (parts.length === 1) return -1;
    const size = sizeOf(broadcastShapes(...parts.map(({ shape }) => shape)));
    return parts.findIndex((part) => {
      const own = this.#depths.get(part);
      const isSmall = size >= manyElements && 4 * sizeOf(part.shape) <= size;
      return own !== undefined && (own < depth || isSmall);
    });
  }

  write(builder: Builder, multiple: Multiple): Value {
    const { parts, depth } = multiple;
    if (parts.length === 1) return this.#scale(builder, parts[0], multiple.factor, depth);
    const cheap = multiple.factor === 1 ? -1 : this.cheapPart(multiple);
    const operands = parts.map((part, i) =>
      i === cheap ? this.#scaleOnce(builder, part, multiple.factor) : part,
    );
    const product = this.#apply(builder, "mul", operands, depth);
    return cheap >= 0 ? product : this.#scale(builder, product, multiple.factor, depth);
  }

  #scaleOnce(builder: Builder, value: Value, factor: number): Value {
    const known = this.#multiples.get(value) ?? new Map<number, Value>();
    this.#multiples.set(value, known);
    const result =
      known.get(factor) ?? this.#scale(builder, value, factor, this.#depths.get(value)!);
    known.set(factor, result);
    return result;
  }

  #scale(builder: Builder, value: Value, factor: number, depth: number): Value {
    if (factor === 1) return value;
    if (factor === -1) return this.#apply(builder, "neg", [value], depth);
    const scalar = builder.values.create([], value.dtype);
    const number = castTensor(factor, { dtype: value.dtype });
    builder.operation({ kind: "constant", tensor: number, inputs: [], outputs: [scalar] }, depth);
    return this.#apply(builder, "mul", [value, scalar], depth);
  }

  #apply(builder: Builder, primitive: string, inputs: readonly Value[], depth: number): Value {
    const shape = broadcastShapes(...inputs.map((input) => input.shape));
    const output = builder.values.create(shape, inputs[0]!.dtype);
    const { origin } = builder;
    const apply = {
      kind: "apply",
      primitive,
      params: {},
      inputs,
      outputs: [output],
      origin,
    } as const;
    builder.operation(apply, depth);
    this.mark([output], depth);
    return output;
  }
}

/** How many operations read each value; what leaves a block or enters a loop as an array counts for many. */
function countReaders(block: Block): Map<Value, number> {
  const readers = new Map<Value, number>();
  const add = (read: Iterable<Value>, count: number): void => {
    for (const value of read) readers.set(value, (readers.get(value) ?? 0) + count);
  };
  add(block.results, Infinity);
  for (const operation of walk(block)) {
    if (operation.kind === "scan" || operation.kind === "while") {
      add([...operation.inputs, ...operation.body.results], Infinity);
    } else {
      add(new Set(operation.inputs), 1);
    }
  }
  return readers;
}
