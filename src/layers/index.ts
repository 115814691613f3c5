/** Layers of networks as jax-js functions. */
export { pooledBlock, stridedBlock } from "./conv-block.ts";
