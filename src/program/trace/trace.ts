/** A jax-js function and argument shapes to a flat jaxpr, with errors that name the function. */
import { checkArgument } from "../check-options.ts";
import {
  Array as JaxArray,
  type Jaxpr,
  type JsTreeDef,
  makeJaxpr,
  type numpy as np,
  tree,
} from "@jax-js/jax";

import { describe, explain, meantBy } from "./explain-trace.ts";
import { withBorrowedArrays } from "./ownership.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { type DType, type Shape, toTensor, type Tree } from "../tensors/tensor.ts";

/** Shape and element type of one array. A class, so that trees take it as a leaf. */
export class ArraySpec {
  readonly shape: number[];
  readonly dtype: DType;
  readonly weakType: boolean = false;

  constructor(shape: Shape, dtype: DType) {
    this.shape = [...shape];
    this.dtype = dtype;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** `float32[3, 4]` */
  toString(): string {
    return `${this.dtype}[${this.shape.join(", ")}]`;
  }
}

/** A function of trees of jax-js arrays that returns a tree of jax-js arrays. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type JaxFunction = (...args: any[]) => unknown;

export interface Traced {
  /** Without nested jit. Its first inputs are the captured constants. */
  readonly jaxpr: Jaxpr;
  /** Undefined for those nothing reads: derivatives leave whole arrays of zeros behind. */
  readonly constants: readonly (Tensor | undefined)[];
  readonly output: JsTreeDef;
  /** Types of the outputs, in order. The jaxpr's own forget the type of an output that is a constant. */
  readonly outputTypes: readonly DType[];
}

/** A function could not be traced; the message names it, its arguments and a remedy. */
export class TraceError extends Error {
  readonly code = "TRACE";
}

/**
 * Arrays that must not be captured by a traced function, by identity, with the name they go by.
 * A hyperparameter that an objective reads from its closure would silently get no gradient.
 */
export type Forbidden = ReadonlyMap<unknown, string>;

let forbidden: Forbidden = new Map();

/** Runs `work`; inside, tracing a function that captures one of `arrays` throws a {@link TraceError}. */
export function forbidCapture<R>(arrays: Forbidden, work: () => R): R {
  checkArgument("forbidCapture", "work", work, "function");
  const before = forbidden;
  forbidden = arrays;
  try {
    return work();
  } finally {
    forbidden = before;
  }
}

/**
 * Traces `fn` on arguments of the given shapes.
 *
 * @throws {@link TraceError} when jax-js refuses the function, when it returns something that is not
 * an array, or when it captures an array that must be an argument.
 */
export function trace(fn: JaxFunction, args: readonly Tree<ArraySpec>[], name?: string): Traced {
  const label = name ?? (fn.name || "function");
  const refuseForbidden = (captured: unknown): void => {
    const argument = forbidden.get(captured);
    if (argument === undefined) return;
    throw new TraceError(
      `${label}: it reads ${argument} from its closure, so its derivative would be lost; take ${argument.split(/[.[]/)[0]} from the function's arguments instead.`,
    );
  };
  try {
    return withBorrowedArrays(() => {
      let outputTypes: DType[] = [];
      const make = makeJaxpr((...args: unknown[]) => {
        const result = fn(...args) as Tree<np.Array>;
        refuseOther(label, result);
        outputTypes = tree.leaves<np.Array | number>(result).map(typeOfLeaf);
        return result;
      });
      const { jaxpr: closed, treedef } = make(...(args as unknown as np.Array[]));
      closed.consts.forEach(refuseForbidden);
      const jaxpr = closed.jaxpr.flatten();
      const used = new Set([...jaxpr.eqns.flatMap((equation) => equation.inputs), ...jaxpr.outs]);
      const constants = closed.consts.map((constant, i) =>
        used.has(jaxpr.inBinders[i]!)
          ? constantTensor(constant as unknown as JaxArray, label)
          : undefined,
      );
      return { jaxpr, constants, output: treedef, outputTypes };
    }, refuseForbidden);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError(explain(error, label, args), { cause: error });
  }
}

/** Output specs of `fn`, without building anything. */
export function outputSpec(
  fn: JaxFunction,
  args: readonly Tree<ArraySpec>[],
  name?: string,
): Tree<ArraySpec> {
  checkArgument("outputSpec", "fn", fn, "function");
  checkArgument("outputSpec", "args", args, "list");
  const { jaxpr, output, outputTypes } = trace(fn, args, name);
  return tree.unflatten(
    output,
    jaxpr.outs.map((out, i) => new ArraySpec(out.aval.shape, outputTypes[i]!)),
  );
}

/**
 * Checks that an objective returns one floating-point scalar.
 *
 * @throws {@link TraceError} saying what it returns instead.
 */
export function checkScalarObjective(
  fn: JaxFunction,
  args: readonly Tree<ArraySpec>[],
  name: string,
): void {
  checkArgument("checkScalarObjective", "fn", fn, "function");
  checkArgument("checkScalarObjective", "args", args, "list");
  const spec = outputSpec(fn, args, name);
  const leaves = tree.leaves(spec) as ArraySpec[];
  const [leaf] = leaves;
  if (leaves.length !== 1 || leaf === undefined) {
    throw new TraceError(`${name}: must return one scalar, it returns ${leaves.length} arrays.`);
  }
  if (!(spec instanceof ArraySpec)) {
    throw new TraceError(
      `${name}: must return a scalar itself, it returns ${describe(spec)}; return what is in it.`,
    );
  }
  if (leaf.ndim !== 0) {
    throw new TraceError(
      `${name}: must return a scalar, it returns ${leaf}; end it with np.mean(...) or np.sum(...).`,
    );
  }
  if (!leaf.dtype.startsWith("float")) {
    throw new TraceError(
      `${name}: must return a floating-point scalar, it returns ${leaf.dtype}; cast it with .astype(np.float32).`,
    );
  }
}

function constantTensor(constant: JaxArray, label: string): Tensor {
  if (!(constant instanceof JaxArray)) {
    throw new TraceError(
      `${label}: it captures a tracer of another transformation; pass that value as an argument.`,
    );
  }
  return toTensor(constant);
}

function typeOfLeaf(leaf: np.Array | number | boolean): DType {
  if (typeof leaf === "number") return "float32";
  return typeof leaf === "boolean" ? "bool" : (leaf.dtype as DType);
}

/**
 * Refuses a result that is no tree of arrays.
 *
 * @throws {@link TraceError} naming what came, and what may have been meant.
 */
function refuseOther(label: string, result: Tree<unknown>): void {
  for (const leaf of tree.leaves<unknown>(result)) {
    const isArray = isTraced(leaf) || typeof leaf === "number" || typeof leaf === "boolean";
    if (!isArray) throw new TraceError(`${label}: it returns ${meantBy(leaf)}.`);
  }
}

/** Whether a value is an array of jax-js, in a trace or not. */
function isTraced(value: unknown): value is np.Array {
  return value instanceof tracerClass;
}

/** The class of all arrays and of what stands for them in a trace; jax-js does not export it. */
const tracerClass = Object.getPrototypeOf(JaxArray) as new () => np.Array;
