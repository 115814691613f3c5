/** Primitives that are written as loops of others when a jaxpr is inlined. */
import type { Builder } from "../builder.ts";
import type { Params, Value } from "../ir.ts";
import { jacobiEigh } from "./jacobi.ts";
import { lu } from "./lu.ts";
import { cholesky, triangularSolve } from "./triangular.ts";

/** Builds the primitive from simpler operations in the open block. */
export type Expand = (builder: Builder, inputs: readonly Value[], params: Params) => Value[];

export const expansions: Readonly<Record<string, Expand | undefined>> = {
  cholesky,
  lu,
  jacobi_eigh: jacobiEigh,
  triangular_solve: triangularSolve,
};
