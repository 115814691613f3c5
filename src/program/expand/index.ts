/** Primitives that are written as loops of others when a jaxpr is inlined. */
import type { Expand } from "./expand.ts";
import { jacobiEigh } from "./jacobi.ts";
import { lu } from "./lu.ts";
import { cholesky, triangularSolve } from "./triangular.ts";

export const expansions: Readonly<Record<string, Expand | undefined>> = {
  cholesky,
  lu,
  jacobi_eigh: jacobiEigh,
  triangular_solve: triangularSolve,
};
