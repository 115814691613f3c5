/**
 * Borrowing: while we trace, nobody counts references.
 *
 * jax-js frees arrays by move semantics, so that every use of an array but the last must be written
 * `x.ref`. Tracers hold no memory, so during our own synchronous trace ownership means nothing: `ref`
 * returns the array and `dispose` does nothing. Functions written with `.ref` work unchanged, functions
 * without it trace to the same jaxpr, and captured arrays stay alive. Outside, jax-js is as strict as
 * ever. See docs/decisions/borrowed-arrays.md.
 *
 * The same window restores literals: jax-js rounds a bare number to float32 when it writes it into a
 * jaxpr (0.1 becomes 0.10000000149011612), which would cap float64 programs at seven digits. It sees through `jit`
 * (`inline-jit.ts`), and leaves nothing in memory when it closes (`residue.ts`).
 */
import { Array as JaxArray, grad, jvp, makeJaxpr, numpy as np, vmap } from "@jax-js/jax";

import { standInForFloat16Array } from "./float16-stand-in.ts";
import { inlineJit } from "./inline-jit.ts";
import { mendIntegerRemainder } from "./integer-remainder.ts";
import { type ResidueWatch, watchResidue } from "./residue.ts";

interface Counted {
  readonly ref: unknown;
  dispose(): void;
}

/**
 * Runs `work` (synchronously) with jax-js's reference counting switched off.
 *
 * @param onLiteral - sees each captured scalar that jax-js is about to write into a jaxpr as a number.
 */
export function withBorrowedArrays<R>(work: () => R, onLiteral?: (scalar: unknown) => void): R {
  if (depth > 0) return work();
  const { dispose } = JaxArray.prototype;
  const watch = watchResidue();
  const restore = [...tracerPrototypes(), JaxArray.prototype].map(borrow);
  restore.push(interceptReads(watch, dispose, onLiteral), mendIntegerRemainder());
  restore.push(inlineJit(interpreters()), standInForFloat16Array(), watch.close);
  depth++;
  try {
    return work();
  } finally {
    depth--;
    // Two of them may have changed the same member: the last one goes first.
    for (const undo of restore.reverse()) undo();
  }
}

let depth = 0;
let found: { tracers: object[]; interpreters: object[] } | undefined;

/** The classes behind derivatives and `vmap`; what a jaxpr is written with is not among them. */
function interpreters(): readonly object[] {
  return findClasses().interpreters;
}

/** The classes jax-js wraps arguments in while tracing; it exports none of them. */
export function tracerPrototypes(): readonly object[] {
  return findClasses().tracers;
}

function findClasses(): { tracers: object[]; interpreters: object[] } {
  if (found) return found;
  const prototypes = new Set<object>();
  const interpreters = new Set<object>();
  const note = (tracer: unknown): void => {
    prototypes.add(Object.getPrototypeOf(tracer) as object);
    interpreters.add(Object.getPrototypeOf((tracer as { _trace: object })._trace) as object);
  };
  const square = (x: np.Array): np.Array => {
    note(x);
    // Reverse mode nests a JVPTracer whose primal is a PartialEvalTracer.
    const primal = (x as unknown as { primal?: Counted }).primal;
    if (primal !== undefined) note(primal);
    return np.sum(np.square(x));
  };
  const example = (): np.Array => np.zeros([2]);
  makeJaxpr(square)(example());
  const [writer] = interpreters;
  makeJaxpr((x: np.Array) => grad(square)(x))(example());
  makeJaxpr((x: np.Array) => jvp(square, [x], [example()])[1])(example());
  makeJaxpr((x: np.Array) => vmap(square)(x))(np.zeros([2, 2]));
  const { _trace } = example() as unknown as { _trace: object };
  for (const other of [writer!, Object.getPrototypeOf(_trace) as object])
    interpreters.delete(other);
  prototypes.delete(JaxArray.prototype);
  for (const prototype of prototypes) {
    for (const member of ["ref", "dispose"]) {
      if (!Object.hasOwn(prototype, member)) {
        throw new Error(
          `trace: this version of jax-js has a tracer class without its own "${member}"; stackelberg needs @jax-js/jax 0.1.25.`,
        );
      }
    }
  }
  found = { tracers: [...prototypes], interpreters: [...interpreters] };
  return found;
}

function borrow(prototype: object): () => void {
  const ref = Object.getOwnPropertyDescriptor(prototype, "ref")!;
  const dispose = Object.getOwnPropertyDescriptor(prototype, "dispose")!;
  Object.defineProperty(prototype, "ref", {
    configurable: true,
    get(this: unknown) {
      return this;
    },
  });
  Object.defineProperty(prototype, "dispose", {
    configurable: true,
    writable: true,
    value() {},
  });
  return () => {
    Object.defineProperty(prototype, "ref", ref);
    Object.defineProperty(prototype, "dispose", dispose);
  };
}

/**
 * jax-js reads a scalar constant with `dataSync` to write it into the jaxpr: it is read in float64. Every array is read
 * through a copy, which is freed at once.
 *
 * @param dispose - frees an array, also while arrays are borrowed.
 */
function interceptReads(
  watch: ResidueWatch,
  dispose: (this: JaxArray) => void,
  onLiteral?: (scalar: unknown) => void,
): () => void {
  const prototype = JaxArray.prototype;
  const original = Object.getOwnPropertyDescriptor(prototype, "dataSync")!;
  const read = original.value as (this: JaxArray) => ReturnType<JaxArray["dataSync"]>;
  const rules = (
    JaxArray as unknown as { _implRules(): Record<"cast" | "reshape", Implementation> }
  )._implRules();
  const readAndFree = (copy: JaxArray): ReturnType<JaxArray["dataSync"]> => {
    try {
      return read.call(copy);
    } finally {
      dispose.call(copy);
    }
  };
  let isReading = false;
  Object.defineProperty(prototype, "dataSync", {
    ...original,
    value(this: JaxArray): ReturnType<JaxArray["dataSync"]> {
      // A read within a read is of a copy that jax-js makes on the CPU, and nobody else has.
      if (isReading) return readAndFree(this);
      onLiteral?.(this);
      const isLiteral = this.ndim === 0 && this.weakType && this.dtype === np.float32;
      const [copy] = isLiteral
        ? rules.cast([this], { dtype: "float64" })
        : rules.reshape([this], { shape: this.shape });
      isReading = true;
      try {
        return watch.read(this, copy!, readAndFree);
      } finally {
        isReading = false;
      }
    },
  });
  return () => Object.defineProperty(prototype, "dataSync", original);
}

/** How jax-js applies a primitive to arrays. */
type Implementation = (inputs: JaxArray[], params: object) => JaxArray[];
