/**
 * A problem about one task as a problem about many: the tasks share the leader, and each has a follower of its own,
 * stacked along the first axis of w.
 *
 *     L(w, λ) = Σ_j L^j(w^j, λ),   E(w, λ) = mean_j E^j(w^j, λ)
 */
import { numpy as np, tree, vmap } from "@jax-js/jax";
import { bilevel, type Arrays, type Problem } from "../bilevel/problem.ts";
import type { Estimate, Rule } from "../bilevel/rule.ts";
import type { Value } from "../program/ir.ts";
import { Tensor, type Tree } from "../program/tensor.ts";
import { callTree, treeMap } from "../program/trees.ts";

/** All tasks at once, their arrays stacked: every operation of the one-task problem gets a leading axis. */
export function stackTasks(problem: Problem): Problem {
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
 * Of what the rule measures, the gradient norms are those of all tasks together, and the rest is the greatest over them.
 *
 * @throws TypeError, in an estimate, for minibatches stacked for the inner steps.
 */
export function perTask(rule: Rule): Rule {
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
      const stacked = { data: point.data, w: point.w, state: point.state };
      const tasks = tree.leaves<Value>(point.data as unknown as Tree<Value>)[0]!.shape[0]!;
      const divide = (sum: Arrays): Arrays => treeMap((x: np.Array) => x.div(tasks), sum);
      let cost: Estimate["cost"];
      const zero = callTree(
        program,
        (lambda: Arrays) => treeMap((x: np.Array) => np.zerosLike(x), lambda),
        point.lambda,
      );
      const [gradient, each] = program.scan(
        { length: tasks },
        (sum: Tree<Value>, task: typeof stacked) => {
          const estimate = rule.estimate(program, problem, { lambda: point.lambda, ...task });
          cost = estimate.cost;
          const { value, w, state, report } = estimate;
          const next = callTree(program, add, sum, estimate.gradient);
          return [next, { value, w, state, report: { ...report } } as unknown as Tree<Value>];
        },
        zero,
        stacked as unknown as Tree<Value>,
      ) as unknown as [Tree<Value>, Pick<Estimate, "value" | "w" | "state" | "report">];
      const { innerGradientNorm, initialInnerGradientNorm, ...others } = each.report;
      return {
        value: program.call((x: np.Array) => np.mean(x), each.value),
        gradient: callTree(program, divide, gradient),
        w: each.w,
        state: each.state,
        report: {
          innerGradientNorm: program.call(norm, innerGradientNorm),
          initialInnerGradientNorm: program.call(norm, initialInnerGradientNorm),
          ...Object.fromEntries(
            Object.entries(others).map(([name, value]) => [
              name,
              program.call((x: np.Array) => np.max(x), value),
            ]),
          ),
        },
        cost: {
          ...(Object.fromEntries(
            Object.entries(cost!).map(([name, count]) => [name, tasks * (count as number)]),
          ) as unknown as Estimate["cost"]),
          storedFloats: cost!.storedFloats,
        },
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

function add(a: Arrays, b: Arrays): Arrays {
  return treeMap((x: np.Array, y: np.Array) => x.add(y), a, b);
}

function norm(x: np.Array): np.Array {
  return np.sqrt(np.sum(np.square(x)));
}
