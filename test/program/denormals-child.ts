/** Prints 1e-30 · 1e-10 in float32, without and with `flushDenormals`; the switch outlives its session. */
import type { numpy as np } from "@jax-js/jax";

import { compile, tensor } from "../../src/program/index.ts";

const shrink = (x: np.Array): np.Array => x.mul(1e-10);
const results: number[] = [];
for (const flushDenormals of [false, true]) {
  const compiled = compile(shrink, { flushDenormals });
  results.push((await compiled(tensor([1e-30]))).item());
  await compiled.dispose();
}
process.stdout.write(JSON.stringify(results));
