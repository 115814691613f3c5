/** One run: H is tuned with T inner steps, or with the exact response, and looked at on the way. */
import { numpy as np } from "@jax-js/jax";
import { adam, disposePrograms, momentum, solve } from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import type { Problem, Rule } from "../../src/bilevel/index.ts";
import { closedForm } from "../../src/bilevel/rules/index.ts";
import { compile, tensor, zeros, type Tensor } from "../../src/program/index.ts";
import {
  descentProblem,
  exactProblem,
  inputs,
  ridgeResponse,
  type EffectTask,
  type Rows,
} from "./task.ts";

/** T, or the exact response. */
export type Steps = number | "exact";

/** Shares of rows whose greatest output is at their class. */
export interface Accuracies {
  readonly training: number;
  readonly validation: number;
  readonly test: number;
}

/** What is seen at one outer step. */
export interface PathPoint extends Accuracies {
  readonly step: number;
  /** E after T inner steps. */
  readonly value: number;
}

/** What a run leaves. */
export interface EffectRun {
  readonly path: readonly PathPoint[];
  /** Of the exact ridge regression on the last H. */
  readonly refitted: Accuracies;
  /** ‖∇_w L‖ after the last inner step, relative to w = 0, at the last outer step. */
  readonly innerGradient: number;
}

/** The settings that all T share. */
export const settings = {
  outerSteps: 200,
  leaderRate: 0.003,
  momentum: 0.9,
  /** The follower's step times the largest curvature at the start. Momentum is stable below 2(1 + μ) = 3.8. */
  relativeStep: 0.5,
  /** Outer steps between two looks at the accuracies. */
  every: 10,
} as const;

/** The problem and the rule for T inner steps of the given length, or for the exact response. */
export function methodFor(
  steps: Steps,
  ridge: number,
  learningRate: number,
): { problem: Problem; rule: Rule } {
  if (steps === "exact") return { problem: exactProblem(ridge), rule: closedForm() };
  const dynamics = momentum({ learningRate, momentum: settings.momentum });
  return { problem: descentProblem(ridge), rule: reverse({ steps, dynamics }) };
}

/** H = I. */
export function startOf({ training }: EffectTask): Tensor {
  const { dtype } = training.x;
  const entry = (i: number): number => Number(Math.floor(i / inputs) === i % inputs);
  return tensor(
    Array.from({ length: inputs * inputs }, (_, i) => entry(i)),
    {
      shape: [inputs, inputs],
      dtype,
    },
  );
}

/** The follower's step: the same for all T of a task. */
export function learningRateOf({ training }: EffectTask, ridge: number): number {
  return settings.relativeStep / (largestCurvature(training.x) + ridge);
}

/** Tunes H from the identity, the follower from w = 0 in every outer step. */
export async function runOne(task: EffectTask, steps: Steps, ridge: number): Promise<EffectRun> {
  const { outerSteps, leaderRate, every } = settings;
  const { problem, rule } = methodFor(steps, ridge, learningRateOf(task, ridge));
  const parts = [task.training, task.validation, task.test] as const;
  const look = compile(
    (h: np.Array, w: np.Array, ...all: Rows<np.Array>[]) =>
      all.map(({ x, y }) => accuracyOf(np.matmul(np.matmul(x, h), w), y)),
    { threads: 1 },
  );
  const refit = compile(
    (h: np.Array, { x, y }: Rows<np.Array>) => ridgeResponse({ x: np.matmul(x, h), y }, ridge),
    { threads: 1 },
  );
  const accuracies = async (h: Tensor, w: Tensor): Promise<Accuracies> => {
    const [training, validation, test] = (await look(h, w, ...parts)).map((v) => v.item());
    return { training: training!, validation: validation!, test: test! };
  };
  const run = solve(problem, {
    rule,
    optimizer: adam({ learningRate: leaderRate }),
    lambda: startOf(task),
    w: zeros([inputs, task.training.y.shape[1]!], task.training.x.dtype),
    data: { inner: task.training, outer: task.validation },
    budget: { steps: outerSteps },
    start: "cold",
    innerValue: false,
    threads: 1,
  });
  const path: PathPoint[] = [];
  let innerGradient = NaN;
  let last: Tensor | undefined;
  for await (const { step, value, lambda, w, report } of run) {
    last = lambda as Tensor;
    innerGradient = report.relativeInnerGradientNorm;
    if (step % every !== 0) continue;
    path.push({ step, value, ...(await accuracies(last, w as Tensor)) });
  }
  const refitted = await accuracies(last!, await refit(last!, task.training));
  await Promise.all([look.dispose(), refit.dispose(), disposePrograms(problem)]);
  return { path, refitted, innerGradient };
}

function accuracyOf(outputs: np.Array, y: np.Array): np.Array {
  const isRight = np.equal(np.argmax(outputs, 1), np.argmax(y, 1));
  return np.sum(isRight.astype(y.dtype)).div(y.shape[0]!);
}

/** The largest eigenvalue of XᵀX by 200 power iterations. */
function largestCurvature({ data, shape }: Tensor): number {
  const [rows, columns] = shape as [number, number];
  let v = new Float64Array(columns).fill(1 / Math.sqrt(columns));
  let length = 0;
  for (let iteration = 0; iteration < 200; iteration++) {
    const next = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      let dot = 0;
      for (let j = 0; j < columns; j++) dot += data[i * columns + j]! * v[j]!;
      for (let j = 0; j < columns; j++) next[j]! += data[i * columns + j]! * dot;
    }
    length = Math.hypot(...next);
    v = next.map((a) => a / length);
  }
  return length;
}
