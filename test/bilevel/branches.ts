/** Where in its program a rule computes: always, or only in the branch of some steps. */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Rule } from "../../src/bilevel/index.ts";
import { Program } from "../../src/program/index.ts";
import type { Operation } from "../../src/program/ir.ts";
import { f64 } from "./problems.ts";

/** Lengths of the arrays whose sine is taken: one for each example that the objectives look at. */
export interface Sines {
  /** On the top level and in scans. */
  readonly always: readonly number[];
  /** In each branch, a loop of at most one step, in their order. */
  readonly branches: readonly (readonly number[])[];
}

/** Builds the rule's estimate on data of the given lengths and looks for sines. */
export function sinesByBranch(rule: Rule, lengths: { inner: number; outer: number }): Sines {
  const problem = bilevel({
    inner: (z: np.Array, x: np.Array, d: np.Array) =>
      np.mean(np.square(np.sin(d.mul(z)))).add(np.exp(x).mul(np.square(z))),
    outer: (z: np.Array, _x: np.Array, d: np.Array) => np.mean(np.sin(d.mul(z))),
  });
  const program = new Program();
  const lambda = program.input("lambda", f64(0));
  const w = program.input("w", f64(0));
  const data = {
    inner: program.input("inner", f64(new Float64Array(lengths.inner))),
    outer: program.input("outer", f64(new Float64Array(lengths.outer))),
  };
  const state = program.call(rule.init as () => np.Array[], w, lambda);
  program.output("gradient", rule.estimate(program, problem, { lambda, w, state, data }).gradient);
  const { operations } = program.block();
  const isBranch = (op: Operation): op is Operation & { kind: "while" } => op.kind === "while";
  return {
    always: sines(operations.filter((op) => !isBranch(op))),
    branches: operations.filter(isBranch).map((op) => sines(op.body.operations)),
  };
}

function sines(operations: readonly Operation[]): number[] {
  return operations.flatMap((op) => {
    if (op.kind === "scan" || op.kind === "while") return sines(op.body.operations);
    return op.kind === "apply" && op.primitive === "sin"
      ? [(op.outputs[0]!.shape as number[]).reduce((a, b) => a * b, 1)]
      : [];
  });
}
