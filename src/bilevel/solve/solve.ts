/** The outer loop: hypergradient, optimizer, projection, again and again until a budget or the problem ends it. */
import { checkArgument, checkOptions as checkNames, required } from "../../program/internal.ts";
import { CHECKPOINT, DATA, OPTIMIZER, OUTER_LOOP, RULE } from "../option-kinds.ts";
import { checkBudget } from "./budget.ts";
import { hostTree, jaxArrays } from "../estimate/leaves.ts";
import { OuterLoop } from "./outer-loop.ts";
import type { Problem } from "../problem.ts";
import { Run } from "./run.ts";
import { checkOptions, type SolveOptions, type SolveResult, type SolveStep } from "./options.ts";

/** A run of {@link solve}: `await` it, or iterate over its steps first. */
export type Solve<L, W> = Run<SolveStep<L, W>, SolveResult<L, W>>;

/**
 * Minimises F(λ) = E(w(λ), λ) over λ.
 *
 *     step k:  F(λ_k), g_k = rule's estimate at λ_k;   λ_{k+1} = P(optimizer's update of λ_k by g_k)
 *
 * Step 0 evaluates the start, so a budget of n steps makes n updates and n + 1 evaluations, and the result's λ, w and
 * value belong together. The whole step is one compiled program; arrays go from one run to the next as they are.
 *
 * How it ends is data, the result's `status`: "converged" (tolerance or early stopping), "max-steps" (the budget),
 * "diverged", "non-finite" (the result is then that of the last finite step) or "cancelled". Only misuse throws.
 *
 * On one machine and with one number of `threads`, the same seed gives the same run, and a run that resumes from a
 * checkpoint gives the same bytes as one that was never interrupted; another number of threads changes the rounding.
 * A checkpoint that cannot be written is reported in `warnings` and tried again later.
 *
 * @returns a run that is both awaitable and an async iterable of its steps.
 * @throws TypeError, RangeError on misuse, at once or when the run starts.
 * @throws {@link CheckpointError} when `resume` is not a checkpoint of this very run.
 * @example
 * const run = solve(problem, { rule, optimizer: adam({ learningRate: 0.1 }), lambda, w, data });
 * for await (const { step, value } of run) console.log(step, value);
 * const { lambda, sentence } = await run;
 */
export function solve<L, W, D, O>(
  problem: Problem<L, W, D, O>,
  options: SolveOptions,
): Solve<L, W> {
  checkArgument("solve", "problem", problem, "object");
  checkNames("solve", options, {
    ...OUTER_LOOP,
    rule: required(RULE),
    optimizer: required(OPTIMIZER),
    lambda: "any!",
    w: "any",
    data: required(DATA),
    start: "string",
    keepBest: "boolean",
    checkpoint: CHECKPOINT,
    resume: "any",
  });
  checkOptions(options);
  if (options.w === undefined && problem.init === undefined) {
    throw new TypeError(
      "solve: w, the follower's first weights, is missing; give it, or give the problem an init.",
    );
  }
  const loop = new OuterLoop(problem as Problem, {
    ...options,
    budget: checkBudget(options.budget),
    start: options.start ?? "warm",
    keepBest: options.keepBest ?? false,
    innerValue: options.innerValue ?? true,
    seed: options.seed ?? 0,
    tolerance: options.tolerance ?? 0,
    divergence: options.divergence ?? 1e6,
    lambda: hostTree("solve", "lambda", options.lambda),
    w: problem.init ? [] : hostTree("solve", "w", options.w ?? []),
    captured: jaxArrays({ lambda: options.lambda, w: options.w ?? [] }),
  });
  return new Run(loop) as unknown as Solve<L, W>;
}
