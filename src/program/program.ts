/** The builder of programs: inputs, calls, loops, outputs, in the words a rule is written in. */
import { type Array as JaxArray, tree } from "@jax-js/jax";

import type { Binding } from "./binding.ts";
import { Builder } from "./builder.ts";
import { type IndexRange, indexRanges } from "./index-ranges.ts";
import { inline } from "./inline.ts";
import { type Block, sameShape, Value, walk } from "./ir.ts";
import { scan, whileLoop } from "./loops.ts";
import { findKernels } from "./kernels.ts";
import { encodeProgram } from "./lower/index.ts";
import { optimize } from "./optimize/index.ts";
import { Executable } from "./executable.ts";
import type { SessionOptions } from "./hosts/host.ts";
import { describe } from "./trace/explain-trace.ts";
import { openSession } from "./session.ts";
import { ArraySpec, type JaxFunction, trace, type Traced, TraceError } from "./trace/trace.ts";
import {
  Tensor,
  tensor,
  type TensorLike,
  toTensor,
  type Tree,
  type TypedArray,
} from "./tensors/tensor.ts";

/** The tree of `T` with program values where arrays, numbers or specs were. */
export type Values<T> =
  Tree<never> extends T
    ? Tree<Value>
    : T extends JaxArray | ArraySpec | Tensor | TypedArray | number | boolean
      ? Value
      : { [K in keyof T]: Values<T[K]> };

/** Which of our optimizations are used; the numbers are the same up to rounding. */
export interface OptimizeOptions {
  /**
   * Our own passes (hoisting, common subexpressions, dead code, …) and the forms of primitives that only save time;
   * default true.
   */
  readonly optimize?: boolean;
  /** The runtime's blocked convolution kernels, where the processor has them; default true. */
  readonly blockedKernels?: boolean;
}

/** A program's model and how it is to be run. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly session: SessionOptions;
  readonly ranges: ReadonlyMap<Value, IndexRange>;
}

/**
 * A program: named inputs, jax-js functions applied to them, loops, and named outputs; values are trees
 * of arrays. It compiles to one ONNX graph.
 *
 * @example
 * const program = new Program("power");
 * const { a, x } = program.input("in", { a: zeros([3, 3]), x: zeros([3]) });
 * const [last] = program.scan({ length: 10 }, (x) => [program.call((a, x) => np.dot(a, x), a, x), []], x);
 * program.output("x", last);
 * const { x: result } = await (await program.compile()).run({ in: { a: …, x: … } });
 */
export class Program {
  readonly name: string;
  readonly #builder = new Builder();
  readonly #inputs: Binding[] = [];
  readonly #outputs: Binding[] = [];
  readonly #traces = new Map<JaxFunction, Map<string, Traced>>();
  /** What `block` made of a program of that size. */
  #optimized?: { readonly size: number; readonly outputs: number; readonly block: Block };

  constructor(name = "program") {
    this.name = name;
  }

  /**
   * Declares a named input.
   *
   * @param like - tree whose leaves give shapes and types: arrays, or {@link ArraySpec}.
   */
  input<T>(name: string, like: T): Values<T> {
    if (this.#inputs.some((input) => input.name === name)) {
      throw new TypeError(
        `Program.input: "${name}" is declared twice; give each input its own name.`,
      );
    }
    const [leaves, structure] = tree.flatten(like as Tree<TensorLike | ArraySpec>);
    const values = leaves.map((leaf) => {
      const { shape, dtype } = specOf(leaf);
      return this.#builder.parameter(shape, dtype);
    });
    this.#inputs.push({ name, structure, leaves: values });
    return tree.unflatten(structure, values) as Values<T>;
  }

  /** Embeds arrays in the program. */
  constant<T>(values: T): Values<T> {
    const [leaves, structure] = tree.flatten(values as Tree<TensorLike>);
    return tree.unflatten(
      structure,
      leaves.map((leaf) => this.#builder.constant(toTensor(leaf))),
    ) as Values<T>;
  }

  /**
   * Applies a jax-js function. Arrays it captures become constants of the program.
   *
   * @throws {@link TraceError} naming the function, its arguments and a remedy.
   */
  call<F extends JaxFunction>(fn: F, ...args: readonly Tree<Value>[]): Values<ReturnType<F>> {
    const specs = args.map((arg) => tree.map(specOfValue, arg) as Tree<ArraySpec>);
    const traced = this.#trace(fn, specs);
    const origin = this.#builder.origin;
    this.#builder.origin = fn.name || origin;
    const leaves = args.flatMap((arg) => tree.leaves<Value>(arg));
    const results = inline(this.#builder, traced, leaves);
    this.#builder.origin = origin;
    return tree.unflatten(traced.output, results) as Values<ReturnType<F>>;
  }

  /**
   * A loop of known length that carries a state and may stack what each iteration returns.
   *
   * carry_{t+1}, y_t = body(carry_t, x_t, t) for t = 0..length−1, or length−1..0 with `reverse`; the
   * stacked y are in index order either way. The body may use any value from outside.
   *
   * @param xs - optional tree of arrays [length, …]; the body gets slice t.
   * @returns the last carry and the stacked y, leaves [length, …].
   * @throws TypeError when the body's carry differs from `init` in structure, shape or type.
   */
  scan<C extends Tree<Value>, Y extends Tree<Value>>(
    options: { readonly length: number; readonly reverse?: boolean },
    body: (carry: C, x: never, index: Value) => [C, Y],
    init: C,
    xs: Tree<Value> = [],
  ): [C, Y] {
    const { length, reverse = false } = options;
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new TypeError(`Program.scan: length must be a whole number ≥ 0, got ${length}.`);
    }
    const [carry, carryStructure] = tree.flatten<Value>(init);
    const [stacked, stackedStructure] = tree.flatten<Value>(xs);
    const odd = stacked.find((value) => value.shape[0] !== length);
    if (odd) {
      throw new TypeError(
        `Program.scan: stacked inputs need a first axis of length ${length}, got ${odd}.`,
      );
    }
    let outputStructure: ReturnType<typeof tree.structure> | undefined;
    const result = scan(
      this.#builder,
      { length, reverse },
      (parameters, slices, index) => {
        const [nextCarry, y] = body(
          tree.unflatten(carryStructure, parameters) as C,
          tree.unflatten(stackedStructure, slices) as never,
          index,
        );
        const [ys, yStructure] = tree.flatten<Value>(y);
        outputStructure = yStructure;
        return { carry: this.#sameCarry("scan", nextCarry, carry, carryStructure), ys };
      },
      carry,
      stacked,
    );
    return [
      tree.unflatten(carryStructure, result.carry) as C,
      tree.unflatten(outputStructure!, result.ys) as Y,
    ];
  }

  /**
   * A loop that runs while `condition` holds, at most `limit` times.
   *
   * @returns the last carry and the number of iterations (int32).
   */
  while<C extends Tree<Value>>(
    options: { readonly limit: number },
    condition: (carry: C) => Value,
    body: (carry: C, index: Value) => C,
    init: C,
  ): { carry: C; steps: Value } {
    const { limit } = options;
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new TypeError(`Program.while: limit must be a whole number ≥ 0, got ${limit}.`);
    }
    const [leaves, structure] = tree.flatten<Value>(init);
    const holds = (carry: C): Value => {
      const value = condition(carry);
      if (!(value instanceof Value) || value.dtype !== "bool" || value.shape.length !== 0) {
        throw new TypeError(`Program.while: the condition must be a boolean scalar, got ${value}.`);
      }
      return value;
    };
    const { carry, steps } = whileLoop(
      this.#builder,
      limit,
      (parameters) => holds(tree.unflatten(structure, parameters) as C),
      (parameters, index) =>
        this.#sameCarry(
          "while",
          body(tree.unflatten(structure, parameters) as C, index),
          leaves,
          structure,
        ),
      leaves,
    );
    return { carry: tree.unflatten(structure, carry) as C, steps };
  }

  /** Declares a named output. */
  output(name: string, value: Tree<Value>): void {
    if (this.#outputs.some((output) => output.name === name)) {
      throw new TypeError(
        `Program.output: "${name}" is declared twice; give each output its own name.`,
      );
    }
    const [leaves, structure] = tree.flatten<Value>(value);
    this.#outputs.push({ name, structure, leaves });
  }

  /** The declared inputs, in order. */
  get inputs(): readonly Binding[] {
    return this.#inputs;
  }

  /** The declared outputs, in order. */
  get outputs(): readonly Binding[] {
    return this.#outputs;
  }

  /**
   * The program's operations, after our optimizations unless switched off.
   *
   * @internal
   */
  block(options: OptimizeOptions = {}): Block {
    const block = this.#builder.finish(this.#outputs.flatMap((output) => output.leaves));
    if (options.optimize === false) return block;
    // A program that is written to a checkpoint's fingerprint and compiled is optimized once.
    const size = block.operations.length;
    if (this.#optimized?.size !== size || this.#optimized.outputs !== this.#outputs.length) {
      const optimized = optimize(block, this.#builder.values);
      this.#optimized = { size, outputs: this.#outputs.length, block: optimized };
    }
    return this.#optimized.block;
  }

  /** The program as the bytes of an ONNX model; the leaves of input `w` are named `in.w.0`, `in.w.1`, … */
  toOnnx(options: OptimizeOptions = {}): Uint8Array {
    return encodeProgram(this.name, this.block(options), this.#inputs, this.#outputs, {
      plain: options.optimize === false,
    });
  }

  /** Compiles for ONNX Runtime. */
  async compile(options: SessionOptions & OptimizeOptions = {}): Promise<Executable> {
    return this.open(await this.encode(options));
  }

  /**
   * The model that {@link Program.compile} opens, made for this machine, and the options of its session.
   *
   * @internal
   */
  async encode(options: SessionOptions & OptimizeOptions = {}): Promise<Encoded> {
    const block = this.block(options);
    // Above "basic" the runtime folds a product's scale into a float32 attribute (MatMulScaleFusion),
    // which costs float64 programs half their digits.
    const graphOptimization = options.graphOptimization ?? (usesFloat64(block) ? "basic" : "all");
    const kernels = options.blockedKernels === false ? {} : await findKernels(block, options);
    const bytes = encodeProgram(this.name, block, this.#inputs, this.#outputs, {
      kernels,
      plain: options.optimize === false,
    });
    // What our passes leave out was still asked for: a derivative alone would drop what lies outside.
    const ranges = indexRanges(this.block({ optimize: false }));
    return { bytes, session: { ...options, graphOptimization }, ranges };
  }

  /**
   * Opens a session on the program's model.
   *
   * @internal
   */
  async open({ bytes, session, ranges }: Encoded): Promise<Executable> {
    const opened = await openSession(bytes, session);
    return new Executable(this.name, opened, this.#inputs, this.#outputs, ranges);
  }

  /** A function that is applied to arrays of the same types again is traced once. */
  #trace(fn: JaxFunction, specs: readonly Tree<ArraySpec>[]): Traced {
    const [leaves, structure] = tree.flatten<ArraySpec>(specs as Tree<ArraySpec>);
    const key = `${String(structure)} ${leaves.join()}`;
    const known = this.#traces.get(fn) ?? new Map<string, Traced>();
    this.#traces.set(fn, known);
    const traced = known.get(key) ?? trace(fn, specs);
    known.set(key, traced);
    return traced;
  }

  #sameCarry(
    loop: string,
    carry: Tree<Value>,
    expected: readonly Value[],
    structure: ReturnType<typeof tree.structure>,
  ): Value[] {
    const [leaves, actual] = tree.flatten<Value>(carry);
    if (!structure.equals(actual)) {
      throw new TypeError(
        `Program.${loop}: the body must return a carry like the initial one, ${structure}, got ${actual}.`,
      );
    }
    leaves.forEach((leaf, i) => {
      const wanted = expected[i]!;
      if (!sameShape(leaf.shape, wanted.shape) || leaf.dtype !== wanted.dtype) {
        throw new TypeError(
          `Program.${loop}: carry leaf ${i} starts as ${wanted} but the body returns ${leaf}; cast or reshape it.`,
        );
      }
    });
    return leaves;
  }
}

function usesFloat64(block: Block): boolean {
  for (const { inputs, outputs } of walk(block)) {
    if ([...inputs, ...outputs].some(({ dtype }) => dtype === "float64")) return true;
  }
  return false;
}

function specOfValue(value: unknown): ArraySpec {
  if (!(value instanceof Value)) {
    throw new TypeError(
      `Program.call: arguments must be values of the program, got ${describe(value as Tree<object>)}; wrap arrays with program.constant(...).`,
    );
  }
  return new ArraySpec(value.shape, value.dtype);
}

function specOf(leaf: TensorLike | ArraySpec): ArraySpec {
  if (leaf instanceof ArraySpec) return leaf;
  if (leaf instanceof Tensor) return new ArraySpec(leaf.shape, leaf.dtype);
  if (typeof leaf === "number" || typeof leaf === "boolean" || ArrayBuffer.isView(leaf)) {
    const { shape, dtype } = tensor(leaf);
    return new ArraySpec(shape, dtype);
  }
  const { shape, dtype } = leaf as { shape?: number[]; dtype?: ArraySpec["dtype"] };
  if (shape === undefined || dtype === undefined) {
    throw new TraceError(
      `Program.input: a leaf must be an array, a number or an ArraySpec, got ${String(leaf)}.`,
    );
  }
  return new ArraySpec(shape, dtype);
}
