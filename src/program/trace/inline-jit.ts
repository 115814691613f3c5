/**
 * Inside derivatives and `vmap`, a jitted function counts as its equations. jax-js 0.1.25 derives a jitted function's
 * jaxpr once and keeps the result by the jaxpr's identity for as long as the process lives; but `vjp` cuts that jaxpr into
 * new ones each time, so that nothing kept is found again, and every trace adds to it. (jax-js jits its own `tanh`, `power`
 * and others.) We flatten jaxprs in the end anyway.
 */
import { type Jaxpr, numpy as np } from "@jax-js/jax";

interface Tracer {
  readonly _trace: Trace;
}

/** An interpreter of jax-js: how it treats a primitive, and how it takes in what belongs to none or to one below it. */
interface Trace {
  readonly main: unknown;
  lift(value: unknown): Tracer;
  pure(value: unknown): Tracer;
  processPrimitive(primitive: string, inputs: Tracer[], params: unknown): Tracer[];
}

type Atom = Jaxpr["outs"][number];

/**
 * Makes the interpreters of these tracers see through `jit`.
 *
 * @returns what undoes it.
 */
export function inlineJit(interpreters: readonly object[]): () => void {
  const undo = interpreters.map((interpreter) => {
    const prototype = interpreter as Trace;
    const { processPrimitive } = prototype;
    prototype.processPrimitive = function (this: Trace, primitive, inputs, params) {
      return primitive === "jit"
        ? evaluate(this, (params as { jaxpr: Jaxpr }).jaxpr, inputs)
        : processPrimitive.call(this, primitive, inputs, params);
    };
    return () => {
      prototype.processPrimitive = processPrimitive;
    };
  });
  return () => undo.forEach((one) => one());
}

function evaluate(trace: Trace, jaxpr: Jaxpr, inputs: readonly Tracer[]): Tracer[] {
  const known = new Map<Atom, Tracer>();
  jaxpr.inBinders.forEach((binder, i) => known.set(binder, inputs[i]!));
  const raise = (value: Tracer): Tracer =>
    value._trace.main === trace.main ? value : trace.lift(value);
  const read = (atom: Atom): Tracer => {
    if (!("value" in atom)) return raise(known.get(atom)!);
    // Without a type a number is weak, and keeps its digits until it meets an array's type.
    const isBare = atom.aval.weakType && atom.aval.dtype === np.float32;
    const value = atom.value as number;
    return trace.pure(isBare ? np.array(value) : np.array(value, { dtype: atom.aval.dtype }));
  };
  for (const { primitive, inputs, params, outBinders } of jaxpr.eqns) {
    const outputs = trace.processPrimitive(primitive as string, inputs.map(read), params);
    outBinders.forEach((binder, i) => known.set(binder, outputs[i]!));
  }
  return jaxpr.outs.map(read);
}
