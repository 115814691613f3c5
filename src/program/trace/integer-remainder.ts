/**
 * jax-js 0.1.25's derivative rule for `mod` returns the dividend in the place of the remainder when both operands are
 * integers: values and derivatives that it enters are wrong in silence. For the time of a trace the rule is replaced.
 * See docs/decisions/derivatives.md.
 */
import { jvp, numpy as np } from "@jax-js/jax";

/** What is read of jax-js's trace of a derivative, which it does not export. */
interface DerivativeTrace {
  processPrimitive(primitive: string, tracers: readonly Tracer[], params: object): unknown[];
  /** A value without a tangent. */
  lift(value: np.Array): unknown;
}

interface Tracer {
  readonly dtype: string;
  readonly primal: np.Array;
}

let prototype: DerivativeTrace | undefined;

/** Puts the right rule in jax-js's place, and returns what takes it away. */
export function mendIntegerRemainder(): () => void {
  const trace = (prototype ??= findTrace());
  const { processPrimitive } = trace;
  trace.processPrimitive = function (this: DerivativeTrace, primitive, tracers, params) {
    const isMended =
      primitive === "mod" && tracers.every(({ dtype }) => !dtype.startsWith("float"));
    if (!isMended) return processPrimitive.call(this, primitive, tracers, params);
    const [x, y] = tracers;
    return [this.lift(x!.primal.mod(y!.primal))];
  };
  return () => {
    trace.processPrimitive = processPrimitive;
  };
}

function findTrace(): DerivativeTrace {
  let trace: object | undefined;
  jvp(
    (x: np.Array) => {
      trace = (x as unknown as { _trace: object })._trace;
      return x;
    },
    [np.zeros([])],
    [np.zeros([])],
  );
  const found = Object.getPrototypeOf(trace) as DerivativeTrace;
  if (!Object.hasOwn(found, "processPrimitive")) {
    throw new Error(
      "trace: this version of jax-js has no trace of derivatives with rules; stackelberg needs @jax-js/jax 0.1.25.",
    );
  }
  return found;
}
