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
 * jaxpr (0.1 becomes 0.10000000149011612), which would cap float64 programs at seven digits.
 */
import { Array as JaxArray, grad, jvp, makeJaxpr, numpy as np, vmap } from "@jax-js/jax";

import { mendIntegerRemainder } from "./integer-remainder.ts";

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
  const restore = [...tracerPrototypes(), JaxArray.prototype].map(borrow);
  restore.push(interceptLiterals(onLiteral), mendIntegerRemainder());
  depth++;
  try {
    return work();
  } finally {
    depth--;
    for (const undo of restore) undo();
  }
}

let depth = 0;
let found: object[] | undefined;

/** The classes jax-js wraps arguments in while tracing; it exports none of them. */
export function tracerPrototypes(): readonly object[] {
  if (found) return found;
  const prototypes = new Set<object>();
  const note = (tracer: unknown): void => {
    prototypes.add(Object.getPrototypeOf(tracer) as object);
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
  makeJaxpr((x: np.Array) => grad(square)(x))(example());
  makeJaxpr((x: np.Array) => jvp(square, [x], [example()])[1])(example());
  makeJaxpr((x: np.Array) => vmap(square)(x))(np.zeros([2, 2]));
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
  found = [...prototypes];
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

/** jax-js reads a scalar constant with `dataSync` to write it into the jaxpr: read it in float64. */
function interceptLiterals(onLiteral?: (scalar: unknown) => void): () => void {
  const prototype = JaxArray.prototype;
  const original = Object.getOwnPropertyDescriptor(prototype, "dataSync")!;
  const read = original.value as (this: JaxArray) => ReturnType<JaxArray["dataSync"]>;
  const rules = (
    JaxArray as unknown as {
      _implRules(): { cast(inputs: JaxArray[], params: { dtype: string }): JaxArray[] };
    }
  )._implRules();
  Object.defineProperty(prototype, "dataSync", {
    ...original,
    value(this: JaxArray): ReturnType<JaxArray["dataSync"]> {
      onLiteral?.(this);
      const isLiteral = this.ndim === 0 && this.weakType && this.dtype === np.float32;
      return read.call(isLiteral ? rules.cast([this], { dtype: "float64" })[0]! : this);
    },
  });
  return () => Object.defineProperty(prototype, "dataSync", original);
}
