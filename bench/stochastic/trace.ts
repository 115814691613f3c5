/** One run: the leader's gradient norm against the calls made. */
import { solve } from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import type { Method } from "./methods.ts";
import type { Task } from "./task.ts";

/** Where a run was looked at. */
export interface TracePoint {
  /** Calls of a batch's derivative. */
  readonly calls: number;
  /** ‖∇F(λ)‖²; 1e300 after a run that broke off. */
  readonly gradientNorm: number;
}

/** Stands for the gradient norm of a run that broke off; JSON has no infinity. */
export const brokenOff = 1e300;

/**
 * Runs a method until it has made `budget` calls and looks at it `points` times, evenly. A run that breaks off, its numbers
 * no longer finite, has 1e300 from there on.
 */
export async function trace(
  task: Task,
  method: Method,
  options: { readonly budget: number; readonly points: number; readonly seed: number },
): Promise<{ points: TracePoint[]; callsPerStep: number }> {
  const { budget, points, seed } = options;
  const run = solve(task.problem, {
    rule: method.rule,
    optimizer: method.optimizer,
    data: method.data,
    lambda: task.lambda,
    w: task.w,
    innerValue: false,
    budget: { steps: budget },
    threads: 1,
    seed,
  });
  const found: TracePoint[] = [];
  const due = (): number => (found.length * budget) / (points - 1);
  let [calls, callsPerStep] = [0, 0];
  for await (const { lambda, report } of run) {
    if (calls >= due()) {
      const x = (lambda as unknown as Tensor).data as Float64Array;
      found.push({ calls, gradientNorm: Math.min(task.gradientNorm([...x]), brokenOff) });
    }
    if (found.length === points) break;
    callsPerStep = method.calls(report.cost);
    calls += callsPerStep;
  }
  await run;
  while (found.length < points) found.push({ calls: due(), gradientNorm: brokenOff });
  return { points: found, callsPerStep };
}
