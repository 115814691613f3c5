/** Runs of the follower alone, without derivatives by λ: where T steps lead, how small the last of them is. */
import type { numpy as np } from "@jax-js/jax";
import {
  Program,
  type SessionOptions,
  type Tensor,
  tensor,
  type Tree,
  type Value,
} from "../../program/index.ts";
import type { Dynamics, FollowerState } from "../dynamics.ts";
import { openFollower, weightsOf, type Steps } from "../estimate/follower.ts";
import { callTree, countElements, treeMap } from "../../program/internal.ts";
import { prepareData } from "../estimate/prepare.ts";
import type { Arrays, BilevelData, Problem } from "../problem.ts";
import type { Projection } from "../projections.ts";
import { treeNorm } from "../../linear/internal.ts";

/** Where a problem is measured, on the host. */
export interface HostPoint {
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly data: BilevelData<Tree<Tensor>>;
}

/** How the follower runs. */
export interface FollowerRunsOptions {
  readonly steps: number;
  readonly dynamics: Dynamics;
  readonly projection?: Projection | undefined;
  readonly session: SessionOptions;
}

/** The follower after T steps. */
export interface FollowerRun {
  readonly w: Tree<Tensor>;
  readonly begin: number;
  readonly end: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/** The follower's steps, compiled; they can be made again from where they ended. */
export interface FollowerRuns {
  readonly state: number;
  readonly preparedFloats: number;
  run(w: Tree<Tensor>): Promise<FollowerRun>;
  dispose(): Promise<void>;
}

/** Compiles T steps of the follower, and what tells how they went. */
export async function followerRuns(
  problem: Problem,
  point: HostPoint,
  { steps, dynamics, projection, session }: FollowerRunsOptions,
): Promise<FollowerRuns> {
  const program = new Program("follower");
  const inputs = { w: point.w, lambda: point.lambda, ...point.data };
  const declare = (name: keyof typeof inputs): Tree<Value> =>
    program.input(name, inputs[name] as never);
  const [w, lambda] = [declare("w"), declare("lambda")];
  const data = { inner: declare("inner"), outer: declare("outer") };
  const start = callTree(program, (w: Arrays) => dynamics.init(w) as Arrays, w);
  const follower = openFollower(
    program,
    problem,
    { lambda, w, state: start, data },
    { steps, dynamics, project: projection },
  );
  const one = (t: number): Steps => ({
    first: t === 0 ? 0 : program.constant(tensor(t, { dtype: "int32" })),
    length: 1,
    batches: [],
  });
  const length = (from: FollowerState, to: FollowerState): np.Array =>
    treeNorm(treeMap((a: np.Array, b: np.Array) => a.sub(b), to.w, from.w));
  const [last] = follower.forward(start, { first: 0, length: steps, batches: [] });
  const [second] = follower.forward(start, one(0));
  const [further] = follower.forward(last, one(steps));
  const measured = follower.measure(last);
  // What tells of these dynamics whether they solve the problem.
  const { innerGradientNorm, initialInnerGradientNorm } = measured;
  const [begin, end] = dynamics.isFixedPoint
    ? [measured["initialFixedPointResidual"]!, measured["fixedPointResidual"]!]
    : [initialInnerGradientNorm, innerGradientNorm];
  program.output("result", {
    w: weightsOf(last),
    numbers: [
      begin,
      end,
      ...[
        [start, second],
        [last, further],
      ].map(([from, to]) => program.call(length as never, from!, to!) as Value),
    ],
  });
  const executable = await program.compile(session);
  return {
    state: countElements(start),
    preparedFloats: countElements(
      follower.prepared.inner.active.take(follower.prepared.inner.data),
    ),
    run: async (w) => {
      const { result } = await executable.run({ ...inputs, w });
      const { w: end, numbers } = result as unknown as { w: Tree<Tensor>; numbers: Tensor[] };
      const [begin, final, firstStep, lastStep] = numbers.map((x) => x.item());
      return { w: end, begin: begin!, end: final!, firstStep: firstStep!, lastStep: lastStep! };
    },
    dispose: () => executable.dispose(),
  };
}

/** The first weights that the problem's `init` makes of λ. */
export async function firstWeights(
  problem: Problem,
  { lambda, data }: Pick<HostPoint, "lambda" | "data">,
  session: SessionOptions,
): Promise<Tree<Tensor>> {
  const program = new Program("first weights");
  const l = program.input("lambda", lambda as never) as Tree<Value>;
  const raw = program.input("inner", data.inner as never) as Tree<Value>;
  const prepared = prepareData(program, problem, l, raw);
  program.output("w", callTree(program, problem.init as never, l, prepared.data));
  const executable = await program.compile(session);
  const { w } = await executable.run({ lambda, inner: data.inner });
  await executable.dispose();
  return w as Tree<Tensor>;
}
