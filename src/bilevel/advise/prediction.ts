/** What a rule will cost, before it runs: its own counts, times what was measured. */
import { Program, type Tensor, type Tree, type Value } from "../../program/index.ts";
import type { Recommendation } from "./types.ts";
import type { Draft } from "./draft.ts";
import type { HostPoint } from "./follower-runs.ts";
import type { MeasuredProblem } from "./measure.ts";
import type { Problem } from "../problem.ts";
import type { Cost, Rule } from "../rule.ts";

/** The counts of a rule's estimate, from building it, and what they mean here. */
export function predict(
  { call, given, bytes, why, caution, share = 1 }: Draft,
  problem: Problem,
  point: HostPoint,
  measured: MeasuredProblem,
  limit: number,
): Recommendation {
  const rule = call.make(given);
  const cost = costOf(rule, problem, point);
  const gradients = cost.innerGradients + (cost.outerGradients ?? 0);
  const products =
    cost.hessianVectorProducts +
    cost.crossProducts +
    (cost.outerHessianVectorProducts ?? 0) +
    (cost.outerCrossProducts ?? 0);
  const seconds =
    share * (gradients * measured.secondsPerGradient + products * measured.secondsPerProduct);
  const slow =
    seconds > limit
      ? ` It is predicted to take ${seconds.toPrecision(2)} s, more than the ${limit} s given.`
      : "";
  return {
    factory: call.factory,
    call: call.text,
    why,
    caution: caution + slow,
    cost,
    bytes: bytes ?? cost.storedFloats * measured.bytesPerFloat,
    seconds,
    rule,
  };
}

function costOf(rule: Rule, problem: Problem, point: HostPoint): Cost {
  const program = new Program(rule.name);
  const declare = (name: string, values: Tree<Tensor>): Tree<Value> =>
    program.input(name, values as never);
  const lambda = declare("lambda", point.lambda);
  const w = declare("w", point.w);
  const data = {
    inner: declare("inner", point.data.inner),
    outer: declare("outer", point.data.outer),
  };
  const state = problem.init ? [] : (program.call(rule.init as never, w, lambda) as Tree<Value>);
  return rule.estimate(program, problem, { lambda, w, state, data }).cost;
}
