/**
 * jax-js asks whether memory is a Float16Array before it looks for other types, and Node 20 and 22 have no such class: a
 * float64 array of more than one number could not be made in an objective. For the time of a trace a stand-in takes its
 * place; nothing outside sees it, for others look for the class to know what the machine can do.
 */

/** Puts a stand-in where the class is missing, and returns what takes it away. */
export function standInForFloat16Array(): () => void {
  const globals = globalThis as { Float16Array?: unknown };
  if (globals.Float16Array !== undefined) return () => undefined;
  globals.Float16Array = StandIn;
  return () => {
    delete globals.Float16Array;
  };
}

class StandIn {
  constructor(values: unknown, offset?: number, length?: number) {
    // The bits of an array that is read, which is what `toTensor` takes.
    if (values instanceof ArrayBuffer) return new Uint16Array(values, offset, length);
    throw new TypeError(
      "this version of JavaScript makes no float16 arrays of numbers; make it in float32, and cast it with .astype(np.float16)",
    );
  }
}
