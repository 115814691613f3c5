/**
 * Local rewrites: identities of arithmetic, movement that does nothing, and above all broadcasts, which
 * are pushed past elementwise operations so that the runtime broadcasts for free. Every rewrite keeps
 * the numbers, bit for bit, except `a + (-b) → a - b` and the like, which are equal in IEEE arithmetic, a
 * doubled term, which is rounded once less, and multiples of zeros by construction (zeros.ts).
 */
import type { Builder } from "../builder.ts";
import {
  type Apply,
  type Block,
  broadcastShapes,
  type Params,
  sameShape,
  throughUnitReshape,
  type Value,
  type ValueFactory,
} from "../ir.ts";
import { type DType, sizeOf, type Shape, Tensor, castTensor } from "../tensors/tensor.ts";
import { transform } from "./transform.ts";
import { zeroOfConstant, zeroOfLinear } from "./zeros.ts";

export function simplify(block: Block, values: ValueFactory): Block {
  return transform(block, values, (builder, operation) => {
    if (operation.kind === "constant") {
      const { tensor } = operation;
      const scalar = zeroOfConstant(builder, tensor) ?? repeatedScalar(builder, tensor);
      if (scalar) return [expand(builder, scalar, tensor.shape)];
    } else {
      const result =
        simplifyZeros(builder, operation) ??
        (elementwise.has(operation.primitive) && operation.inputs.length > 0
          ? simplifyElementwise(builder, operation)
          : rules[operation.primitive]?.(builder, operation));
      if (result) return [result];
    }
    builder.operation(operation);
    return operation.outputs;
  });
}

function simplifyZeros(builder: Builder, operation: Apply): Value | undefined {
  const inputs = operation.inputs.map((input) => unexpanded(builder, input));
  const { dtype, shape } = operation.outputs[0]!;
  const zero = zeroOfLinear(builder, { ...operation, inputs }, dtype);
  return zero && expand(builder, zero, shape);
}

/** Primitives that act element by element and broadcast like NumPy. */
export const elementwise: ReadonlySet<string> = new Set(
  (
    "add sub mul div idiv mod min max bit_combine bit_shift bit_count neg reciprocal floor ceil cast " +
    "bitcast sin cos asin atan exp log erf erfc sqrt compare where"
  ).split(" "),
);

function simplifyElementwise(builder: Builder, operation: Apply): Value | undefined {
  const output = operation.outputs[0]!;
  const inputs = operation.inputs.map((input) => unexpanded(builder, input));
  const identity = simplifyArithmetic(builder, { ...operation, inputs });
  if (identity) return expand(builder, identity, output.shape);
  if (inputs.every((input, i) => input === operation.inputs[i])) return undefined;
  const shape = broadcastShapes(...inputs.map((input) => input.shape));
  const [small] = builder.apply(operation.primitive, inputs, operation.params, [
    { shape, dtype: output.dtype },
  ]);
  return expand(builder, small!, output.shape);
}

/** Identities; the operands may already be smaller than the result. */
function simplifyArithmetic(
  builder: Builder,
  { primitive, inputs, outputs }: Apply,
): Value | undefined {
  const [a, b] = inputs as [Value, Value];
  const { dtype } = outputs[0]!;
  const define = (value: Value, name: string): Value | undefined => {
    const definition = builder.definition(value);
    return definition?.kind === "apply" && definition.primitive === name
      ? definition.inputs[0]
      : undefined;
  };
  switch (primitive) {
    case "add": {
      if (dtype === "bool") return undefined;
      if (isConstant(builder, b, 0)) return a;
      if (isConstant(builder, a, 0)) return b;
      if (dtype === "uint32") return undefined;
      const [negA, negB] = [define(a, "neg"), define(b, "neg")];
      if (negB) return builder.elementwise("sub", [a, negB]);
      if (negA) return builder.elementwise("sub", [b, negA]);
      return dtype.startsWith("float") ? addTwice(builder, a, b) : undefined;
    }
    case "mul": {
      if (dtype === "bool") return undefined;
      if (isConstant(builder, b, 1)) return a;
      if (isConstant(builder, a, 1)) return b;
      if (dtype === "uint32") return undefined;
      if (isConstant(builder, b, -1)) return builder.elementwise("neg", [a]);
      return isConstant(builder, a, -1) ? builder.elementwise("neg", [b]) : undefined;
    }
    case "sub":
      return isConstant(builder, b, 0) ? a : undefined;
    case "neg":
      return dtype === "bool" ? undefined : define(a, "neg");
    case "cast":
      return a.dtype === dtype ? a : castConstant(builder, a, dtype);
    default:
      return undefined;
  }
}

/**
 * (a + s·x) + s·x as a + 2s·x when s is smaller than x, as the derivative of x² writes it: two passes over x less. The
 * doubling is exact, the sum is rounded once instead of twice.
 */
function addTwice(builder: Builder, a: Value, b: Value): Value | undefined {
  const sum = builder.definition(a);
  if (sum?.kind !== "apply" || sum.primitive !== "add" || !sum.inputs.includes(b)) return undefined;
  const product = builder.definition(b);
  if (product?.kind !== "apply" || product.primitive !== "mul") return undefined;
  const [small, large] = product.inputs.toSorted((p, q) => sizeOf(p.shape) - sizeOf(q.shape));
  if (sizeOf(small!.shape) === sizeOf(large!.shape)) return undefined;
  const other = sum.inputs[0] === b ? sum.inputs[1]! : sum.inputs[0]!;
  const twice = builder.elementwise("mul", [small!, builder.scalar(2, small!.dtype)]);
  return builder.elementwise("add", [other, builder.elementwise("mul", [twice, large!])]);
}

/** The scalar that all of a constant array's elements are. */
function repeatedScalar(builder: Builder, { dtype, data, size }: Tensor): Value | undefined {
  const isRepeated = size > 1 && data.every((item) => Object.is(item, data[0]));
  return isRepeated ? builder.constant(new Tensor(dtype, [], data.slice(0, 1))) : undefined;
}

/** A small constant in another floating-point type, made here rather than at every run. */
function castConstant(builder: Builder, value: Value, dtype: DType): Value | undefined {
  const definition = builder.definition(value);
  if (definition?.kind !== "constant" || definition.tensor.size > 64) return undefined;
  const types: readonly DType[] = ["float32", "float64"];
  if (!types.includes(dtype) || value.dtype === "float16") return undefined;
  return builder.constant(castTensor(definition.tensor, { dtype }));
}

type Rewrite = (builder: Builder, operation: Apply) => Value | undefined;

const rules: Readonly<Record<string, Rewrite | undefined>> = {
  reshape(builder, { inputs: [x], outputs: [output] }) {
    if (sameShape(x!.shape, output!.shape)) return x;
    const definition = builder.definition(x!);
    if (definition?.kind !== "apply") return undefined;
    if (definition.primitive === "reshape") {
      return reshape(builder, definition.inputs[0]!, output!.shape);
    }
    const source = unexpanded(builder, x!);
    if (source === x) return undefined;
    // A broadcast scalar has no order to keep; otherwise only axes of length one may come and go.
    if (sizeOf(source.shape) === 1) {
      return expand(builder, reshape(builder, source, []), output!.shape);
    }
    const shown = throughUnitReshape(x!.shape, output!.shape);
    if (!shown) return undefined;
    const full = withRank(builder, source, x!.shape.length);
    const shape = shown.map((axis) => (axis === undefined ? 1 : full.shape[axis]!));
    return expand(builder, reshape(builder, full, shape), output!.shape);
  },

  transpose(builder, { inputs: [x], params }) {
    const perm = params["perm"] as number[];
    if (perm.every((axis, i) => axis === i)) return x;
    const definition = builder.definition(x!);
    if (definition?.kind === "apply" && definition.primitive === "transpose") {
      const inner = definition.params["perm"] as number[];
      return transpose(
        builder,
        definition.inputs[0]!,
        perm.map((axis) => inner[axis]!),
      );
    }
    const source = unexpanded(builder, x!);
    if (source === x) return undefined;
    const full = withRank(builder, source, x!.shape.length);
    return expand(
      builder,
      transpose(builder, full, perm),
      perm.map((axis) => x!.shape[axis]!),
    );
  },

  broadcast(builder, { inputs: [x], params, outputs: [output] }) {
    const axes = params["axis"] as number[];
    if (axes.length === 0) {
      if (sameShape(x!.shape, output!.shape)) return x;
      const source = unexpanded(builder, x!);
      return source === x ? undefined : expand(builder, source, output!.shape);
    }
    const shape: number[] = [];
    let next = 0;
    for (let axis = 0; axis < output!.shape.length; axis++) {
      shape.push(axes.includes(axis) ? 1 : x!.shape[next++]!);
    }
    const leading = axes.every((axis) => axis < axes.length);
    return expand(builder, leading ? x! : reshape(builder, x!, shape), output!.shape);
  },

  reduce(builder, { inputs: [x], params, outputs: [output] }) {
    const axes = params["axis"] as number[];
    const op = params["op"] as string;
    if (axes.length === 0) return x;
    const moved = reduceBeforeMoving(builder, x!, axes, params, output!);
    if (moved) return moved;
    const source = unexpanded(builder, x!);
    if (source === x || !output!.dtype.startsWith("float") || op === "Mul") return undefined;
    const full = withRank(builder, source, x!.shape.length);
    const count = axes.reduce((n, axis) => n * (x!.shape[axis]! / full.shape[axis]!), 1);
    if (count === 1) return undefined;
    if (full.shape.some((length, axis) => axes.includes(axis) && length === 0)) return undefined;
    const shape = full.shape.filter((_, axis) => !axes.includes(axis));
    const unit = axes.every((axis) => full.shape[axis] === 1);
    const reduced = unit
      ? reshape(builder, full, shape)
      : builder.apply("reduce", [full], params, [{ shape, dtype: output!.dtype }])[0]!;
    const scaled =
      op === "Add"
        ? builder.elementwise("mul", [reduced, builder.scalar(count, output!.dtype)])
        : reduced;
    return expand(builder, scaled, output!.shape);
  },

  dot(builder, { inputs, outputs: [output] }) {
    // A sum over one element is a product; as such it can meet a sum further on.
    if (inputs.some(({ shape }) => shape[shape.length - 1] !== 1)) return undefined;
    const factors = inputs.map((input) => {
      const source = unexpanded(builder, input);
      return reshape(builder, source, source.shape.slice(0, -1));
    });
    return expand(builder, builder.elementwise("mul", factors), output!.shape);
  },

  pad(_builder, { inputs: [x], params }) {
    return (params["width"] as [number, number][]).every(([a, b]) => a === 0 && b === 0)
      ? x
      : undefined;
  },

  shrink(_builder, { inputs: [x], outputs: [output] }) {
    return sameShape(x!.shape, output!.shape) ? x : undefined;
  },
};

/**
 * Sums first, moves afterwards, so that a sum of products finds its product: axes of length one are
 * dropped, and a transpose or a reshape of unit axes changes places with the reduction.
 */
function reduceBeforeMoving(
  builder: Builder,
  x: Value,
  axes: readonly number[],
  params: Params,
  output: Value,
): Value | undefined {
  const reduceOver = (operand: Value, over: readonly number[]): Value => {
    const shape = operand.shape.filter((_, axis) => !over.includes(axis));
    const outputs = [{ shape, dtype: output.dtype }];
    return builder.apply("reduce", [operand], { ...params, axis: over }, outputs)[0]!;
  };
  const long = axes.filter((axis) => x.shape[axis] !== 1);
  if (long.length === 0) return reshape(builder, x, output.shape);
  if (long.length < axes.length) return reshape(builder, reduceOver(x, long), output.shape);

  const definition = builder.definition(x);
  if (definition?.kind !== "apply") return undefined;
  const [source] = definition.inputs;
  if (definition.primitive === "transpose") {
    const perm = definition.params["perm"] as number[];
    const over = axes.map((axis) => perm[axis]!).sort((a, b) => a - b);
    const left = perm.filter((axis) => !over.includes(axis));
    const order = left.map((axis) => left.toSorted((a, b) => a - b).indexOf(axis));
    return transpose(builder, reduceOver(source!, over), order);
  }
  const shown =
    definition.primitive === "reshape" ? throughUnitReshape(source!.shape, x.shape) : undefined;
  if (!shown) return undefined;
  return reshape(
    builder,
    reduceOver(
      source!,
      axes.map((axis) => shown[axis]!),
    ),
    output.shape,
  );
}

/** The smaller array that `value` is a broadcast of, otherwise `value`. */
function unexpanded(builder: Builder, value: Value): Value {
  const definition = builder.definition(value);
  if (definition?.kind !== "apply" || definition.primitive !== "broadcast") return value;
  // Broadcasts that insert axes were rewritten before anything could use them.
  return (definition.params["axis"] as number[]).length === 0 ? definition.inputs[0]! : value;
}

function expand(builder: Builder, value: Value, shape: Shape): Value {
  if (sameShape(value.shape, shape)) return value;
  return builder.apply("broadcast", [value], { shape, axis: [] }, [
    { shape, dtype: value.dtype },
  ])[0]!;
}

function reshape(builder: Builder, value: Value, shape: Shape): Value {
  return sameShape(value.shape, shape) ? value : builder.reshape(value, shape);
}

function transpose(builder: Builder, value: Value, perm: readonly number[]): Value {
  if (perm.every((axis, i) => axis === i)) return value;
  const shape = perm.map((axis) => value.shape[axis]!);
  return builder.apply("transpose", [value], { perm }, [{ shape, dtype: value.dtype }])[0]!;
}

function withRank(builder: Builder, value: Value, rank: number): Value {
  const missing = rank - value.shape.length;
  return missing === 0
    ? value
    : reshape(builder, value, [...Array<number>(missing).fill(1), ...value.shape]);
}

/** Whether every element of `value` is the constant `wanted`. */
function isConstant(builder: Builder, value: Value, wanted: number): boolean {
  const definition = builder.definition(value);
  if (definition?.kind !== "constant") return false;
  const { data } = definition.tensor;
  // -0 is not 0: x + 0 turns -0 into 0, x - 0 and x + -0 do not; all are equal as numbers.
  return data.length === 1 && data[0] === wanted;
}
