/** One counter-based generator: keys with names below them, streams, draws. */
export { foldIn, randomKey } from "./key.ts";
export { philox, type RandomKey } from "./philox.ts";
export { normalQuantile, studentQuantile } from "./quantiles.ts";
export { integers, permutation, randomStream, type RandomStream } from "./stream.ts";
