/**
 * Training at fixed coefficients: the follower alone, run until its gradient is small. It serves the
 * default coefficient, every point of the grid, the coefficients that hypergradients found, and the
 * final model, so that all of them are fitted alike.
 */
import { numpy as np } from "@jax-js/jax";
import { innerGradient, type FollowerState } from "../../bilevel/dynamics.ts";
import { weightsOf } from "../../bilevel/follower.ts";
import type { Arrays } from "../../bilevel/problem.ts";
import type { Executable } from "../../program/executable.ts";
import type { Value } from "../../program/ir.ts";
import { Program } from "../../program/program.ts";
import type { SessionOptions } from "../../program/session.ts";
import type { JaxFunction } from "../../program/trace.ts";
import type { Tensor } from "../../program/tensor.ts";
import { tensor, zeros, type Tree } from "../../program/tensor.ts";
import type { Task } from "../../data/index.ts";
import {
  tabularDynamics,
  tabularProblem,
  type Coefficients,
  type TrainingData,
  type Weights,
} from "./problem.ts";

/** A fit and how well the inner problem was solved. */
export interface Fit {
  /** [outputs, width + 1] */
  weights: Tensor;
  /** ‖∇L‖ at the weights. */
  innerGradientNorm: number;
  /** ‖∇L‖ at zero weights: the scale of the former, the same for all coefficients. */
  referenceGradientNorm: number;
  steps: number;
}

/** Fits of one shape of data. */
export interface Fitter {
  /**
   * @param logCoefficient - [inputs]
   * @param start - weights to start from; default zeros.
   */
  fit(data: TrainingData<Tensor>, logCoefficient: Float32Array, start?: Tensor): Promise<Fit>;
  dispose(): Promise<void>;
}

/** A fit ends at this gradient norm relative to that of zero weights. */
export const fitTolerance = 1e-5;

/** Steps after which a fit gives up; only nearly separable classes with almost no penalty need as many. */
const stepLimit = 500;

/** Steps between two looks at the gradient's norm, which costs as much as a step. */
const stepsPerCheck = 5;

/**
 * Compiles the fit for data of the given shapes.
 *
 * @param example - data of the shapes to come; its numbers are not read.
 */
export async function compileFit(
  task: Task,
  example: TrainingData<Tensor>,
  options: SessionOptions = {},
): Promise<Fitter> {
  const weightShape = [example.y.shape[0]!, example.x.shape[1]!];
  const executable = await buildFit(task, example, weightShape).compile(options);
  return {
    fit: (data, logCoefficient, start = zeros(weightShape)) =>
      run(executable, data, logCoefficient, start),
    dispose: () => executable.dispose(),
  };
}

async function run(
  executable: Executable,
  data: TrainingData<Tensor>,
  logCoefficient: Float32Array,
  start: Tensor,
): Promise<Fit> {
  const lambda = { logCoefficient: tensor(logCoefficient) };
  const results = await executable.run({ lambda, w: { weights: start }, data: { ...data } });
  const number = (name: string): number => (results[name] as Tensor).item();
  return {
    weights: (results["w"] as unknown as Weights<Tensor>).weights,
    innerGradientNorm: number("norm"),
    referenceGradientNorm: number("reference"),
    steps: stepsPerCheck * number("checks"),
  };
}

/** w ← Φ(w) until ‖∇L(w)‖ ≤ tolerance · ‖∇L(0)‖. */
function buildFit(task: Task, example: TrainingData<Tensor>, weightShape: number[]): Program {
  const problem = tabularProblem(task);
  const dynamics = tabularDynamics(example.x.shape[1]! - 1);
  const program = new Program("fit");
  const lambda = program.input("lambda", { logCoefficient: zeros([example.groups.shape[0]!]) });
  const w = program.input("w", { weights: zeros(weightShape) });
  const raw = program.input("data", { ...example });
  const data = program.call(problem.prepare!, lambda, raw);

  const gradientNorm = (w: Weights, lambda: Coefficients, data: Arrays): np.Array => {
    const gradient = innerGradient(problem.inner, w as never, lambda as never, data);
    return np.sqrt(np.sum(np.square((gradient as unknown as Weights).weights)));
  };
  const normAtZero = (w: Weights, lambda: Coefficients, data: Arrays): np.Array =>
    gradientNorm({ weights: np.zerosLike(w.weights) }, lambda, data);
  const step: JaxFunction = (state: FollowerState, lambda: Arrays, data: Arrays, t: np.Array) =>
    dynamics.step(state, lambda, data, problem.inner, t);

  const init: JaxFunction = (w: Arrays) => dynamics.init(w);
  const state = program.call(init, w) as Tree<Value>;
  const reference = program.call(normAtZero, w, lambda, data);
  const isUnsolved = (norm: np.Array, reference: np.Array): np.Array =>
    np.greater(norm, reference.mul(fitTolerance));
  const { carry, steps } = program.while(
    { limit: stepLimit / stepsPerCheck },
    ({ norm }) => program.call(isUnsolved, norm, reference),
    ({ state }) => {
      const [next] = program.scan(
        { length: stepsPerCheck },
        (state: Tree<Value>, _, t) => [
          program.call(step, state, lambda, data, t) as Tree<Value>,
          [],
        ],
        state,
      );
      return { state: next, norm: program.call(gradientNorm, weightsOf(next), lambda, data) };
    },
    { state, norm: program.call(gradientNorm, w, lambda, data) },
  );
  program.output("w", weightsOf(carry.state));
  program.output("norm", carry.norm);
  program.output("reference", reference);
  program.output("checks", steps);
  return program;
}
