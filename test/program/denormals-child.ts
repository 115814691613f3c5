/** Prints 1e-30 · 1e-10 in float32 as this process's first session computes it. */
import type { numpy as np } from "@jax-js/jax";

import { compile, tensor } from "../../src/program/index.ts";

const shrink = compile((x: np.Array) => x.mul(1e-10), {
  flushDenormals: process.argv[2] === "flush",
});
process.stdout.write(String((await shrink(tensor([1e-30]))).item()));
