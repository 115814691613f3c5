/**
 * A problem about one task as a problem about many: the tasks share the leader, and each has a follower of its own,
 * stacked along the first axis of w.
 *
 *     L(w, λ) = Σ_j L^j(w^j, λ),   E(w, λ) = mean_j E^j(w^j, λ)
 */
import { callTree, checkArgument, treeMap } from "../program/internal.ts";
import { numpy as np, tree, vmap } from "@jax-js/jax";
import { bilevel, type Arrays, type Problem } from "./problem.ts";
import { isLeast } from "./estimate/follower-measure.ts";
import { addTrees, zerosLikeTree } from "./estimate/leaves.ts";
import type { Cost, Estimate, Measured, Rule } from "./rule.ts";
import { type Program, Tensor, type Tree, type Value } from "../program/index.ts";

/** All tasks at once, their arrays stacked: every operation of the one-task problem gets a leading axis. */
export function stackTasks(problem: Problem): Problem {
  checkArgument("stackTasks", "problem", problem, "object");
  const { prepare, init, inner, outer } = problem;
  const mapped = (fn: (...args: Arrays[]) => Arrays, axes: (0 | null)[]) =>
    vmap(fn as never, axes) as unknown as (...args: Arrays[]) => Arrays;
  return bilevel({
    ...(prepare && { prepare: mapped(prepare, [null, 0]) }),
    ...(init && { init: mapped(init, [null, 0]) }),
    inner: (w: Arrays, lambda: Arrays, data: Arrays) =>
      np.sum(mapped(inner, [0, null, 0])(w, lambda, data) as np.Array),
    outer: (w: Arrays, lambda: Arrays, data: Arrays) =>
      np.mean(mapped(outer, [0, null, 0])(w, lambda, data) as np.Array),
  });
}

/**
 * A rule for one task as a rule for many, one after the other inside the program: the hypergradient is the mean of the
 * tasks', and only one task's trajectory is kept at a time. The problem is the one-task problem; λ is shared, and the
 * leaves of data, w and state have the tasks as their first axis.
 *
 * Of what the rule measures, the gradient norms are those of all tasks together, and the rest that of the gravest task: the
 * greatest, or the least where the rule says so (`least`), as for a curvature.
 *
 * @throws TypeError, in an estimate, for minibatches stacked for the inner steps.
 */
export function perTask(rule: Rule): Rule {
  checkArgument("perTask", "rule", rule, "object");
  return {
    ...rule,
    name: `${rule.name} per task`,
    init: (w, lambda) =>
      (vmap(rule.init as never, [0, null]) as unknown as Rule["init"])(w, lambda),
    estimate: (program, problem, point) => {
      if (point.batched) {
        throw new TypeError(
          "perTask: the inner data must be one batch for all inner steps; leave perStep out of the sampler.",
        );
      }
      const { lambda, batched: _, isWarm = false, ...stacked } = point;
      const tasks = tree.leaves<Value>(point.data as unknown as Tree<Value>)[0]!.shape[0]!;
      let cost: Cost;
      const [sum, each] = program.scan(
        { length: tasks },
        (sum: Tree<Value>, task: typeof stacked) => {
          const estimate = rule.estimate(program, problem, { lambda, isWarm, ...task });
          const { value, w, state, report } = estimate;
          cost = estimate.cost;
          const next = callTree(program, addTrees, sum, estimate.gradient);
          return [next, { value, w, state, report: { ...report } } as unknown as Tree<Value>];
        },
        callTree(program, zerosLikeTree, lambda),
        stacked as unknown as Tree<Value>,
      ) as unknown as [Tree<Value>, Pick<Estimate, "value" | "w" | "state" | "report">];
      const divide = (sum: Arrays): Arrays => treeMap((x: np.Array) => x.div(tasks), sum);
      return {
        value: program.call((x: np.Array) => np.mean(x), each.value),
        gradient: callTree(program, divide, sum),
        w: each.w,
        state: each.state,
        report: summarize(program, rule, each.report),
        cost: multiply(cost!, tasks),
      };
    },
  };
}

/** One task's arrays repeated for each of several tasks. */
export function repeatForTasks(one: Tree<Tensor>, tasks: number): Tree<Tensor> {
  return treeMap(({ dtype, shape, data }: Tensor) => {
    const repeated = new (data.constructor as new (length: number) => typeof data)(
      tasks * data.length,
    );
    for (let task = 0; task < tasks; task++) repeated.set(data, task * data.length);
    return new Tensor(dtype, [tasks, ...shape], repeated);
  }, one);
}

/** The report of all tasks from theirs, each measurement [tasks]. */
function summarize(
  program: Program,
  { least = [] }: Rule,
  report: Measured<Value>,
): Measured<Value> {
  const together = (x: np.Array): np.Array => np.sqrt(np.sum(np.square(x)));
  const smallest = (x: np.Array): np.Array => np.min(x);
  const greatest = (x: np.Array): np.Array => np.max(x);
  const summaryOf = (name: string): ((x: np.Array) => np.Array) => {
    if (name === "innerGradientNorm" || name === "initialInnerGradientNorm") return together;
    return least.includes(name) || isLeast(name) ? smallest : greatest;
  };
  const entries = Object.entries(report).map(([name, value]) => [
    name,
    program.call(summaryOf(name), value),
  ]);
  return Object.fromEntries(entries) as Measured<Value>;
}

/** What all tasks cost; they are kept one at a time. */
function multiply({ storedFloats, ...counts }: Cost, tasks: number): Cost {
  const all = Object.entries(counts).map(([name, count]) => [name, tasks * count]);
  return { ...(Object.fromEntries(all) as typeof counts), storedFloats };
}
