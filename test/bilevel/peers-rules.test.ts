/** The rules against their definitions in PyTorch, in float64, on problems that are not quadratic; fixture by test/peers/rules.py. */
import { readFileSync } from "node:fs";
import { nn, numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  amigo,
  bda,
  bome,
  darts,
  f2sa,
  forward,
  iaptt,
  implicit,
  moreauEnvelope,
  oneStage,
  reverse,
  slBamm,
  soba,
  truncated,
  valuePenalty,
} from "../../src/bilevel/rules/index.ts";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { conjugateGradient, dense, neumann, nystrom } from "../../src/linear/index.ts";
import type { tensor } from "../../src/program/index.ts";
import { distance, flat } from "./evaluate.ts";
import { f64 } from "./problems.ts";

type Nested = Parameters<typeof tensor>[0];

interface Fixture {
  readonly leaderRate: number;
  readonly data: Record<"x" | "y" | "xv" | "yv" | "tilt" | "pull", Nested>;
  readonly w: Nested[];
  readonly lambda: Nested[];
  /** Hypergradients of the outer steps, each flattened. */
  readonly cases: Record<string, number[][]>;
  readonly imaml: {
    readonly mu: number;
    readonly T: number;
    readonly rate: number;
    readonly lambda: number[];
    readonly gradient: number[];
    readonly data: Record<"x" | "y" | "xv" | "yv", Nested>;
  };
}

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/torch/rules.json", import.meta.url), "utf8"),
) as Fixture;

interface W {
  weights: np.Array;
  bias: np.Array;
}
interface L {
  decay: np.Array;
  tilt: np.Array;
}
interface Data {
  x: np.Array;
  y: np.Array;
  /** The directions along which λ pulls at the weights. */
  along: np.Array;
}

const losses = (w: W, d: Data): np.Array =>
  np.mean(nn.softplus(np.matmul(d.x, w.weights).add(w.bias).mul(d.y).neg()));

/** Six weights in two leaves, five hyperparameters in two leaves, which act on both levels. */
const problem = bilevel({
  inner: (w: W, l: L, d: Data) => {
    const [first, second, third] = [0, 1, 2].map((i) => np.exp(l.decay).slice([i, i + 1]));
    const decay = np.concatenate([first!, first!, second!, third!, third!]);
    return losses(w, d)
      .add(np.sum(decay.mul(np.square(w.weights))).mul(0.5))
      .add(np.square(w.bias).mul(0.05))
      .add(np.sum(np.sin(l.tilt).mul(np.matmul(d.along, w.weights))).mul(0.3));
  },
  outer: (w: W, l: L, d: Data) =>
    losses(w, d)
      .add(np.sum(np.square(l.tilt)).mul(0.05))
      .add(np.sum(l.tilt.mul(np.matmul(d.along, w.weights))).mul(0.1)),
}) as Problem;
afterAll(() => disposePrograms(problem));

const { x, y, xv, yv, tilt, pull } = fixture.data;
const point = {
  lambda: { decay: f64(fixture.lambda[0]!), tilt: f64(fixture.lambda[1]!) },
  w: { weights: f64(fixture.w[0]!), bias: f64(fixture.w[1]!) },
  data: {
    inner: { x: f64(x), y: f64(y), along: f64(tilt) },
    outer: { x: f64(xv), y: f64(yv), along: f64(pull) },
  },
};

const dynamics = gradientDescent({ learningRate: 0.6 });
const six = { steps: 6, dynamics };
const solved = { steps: 40, dynamics };
const rules: Record<string, Rule[]> = {
  forward: [forward(six), reverse(six), reverse({ ...six, checkpoints: { slots: 2 } })],
  truncated: [truncated({ ...six, keep: 2 })],
  oneStage: [oneStage(six)],
  darts: [darts({ learningRate: 0.6, order: 2 })],
  bda: [bda(six)],
  conjugateGradient: [implicit({ ...solved, solver: conjugateGradient({ maxSteps: 3 }) })],
  neumann: [implicit({ ...solved, solver: neumann({ maxSteps: 7, step: 0.6 }) })],
  nystrom: [implicit({ ...solved, solver: nystrom({ rank: 6, rho: 0.05 }) })],
  iaptt: [
    iaptt({
      steps: 6,
      dynamics: gradientDescent({ learningRate: 2 }),
      auxiliary: gradientDescent({ learningRate: 0.5 }),
    }),
  ],
  valuePenalty: [
    valuePenalty({ penalty: 4, steps: 3, valueSteps: 5, learningRate: 0.4, valueStart: "warm" }),
  ],
  f2sa: [
    f2sa({ multiplier: 2, increment: 0.25, steps: 4, learningRate: 0.1, valueLearningRate: 0.5 }),
  ],
  moreauEnvelope: [moreauEnvelope({ penalty: 3, proximalWeight: 0.5, learningRate: 0.3 })],
  bome: [bome({ steps: 4, learningRate: 0.5, responseLearningRate: 0.2 })],
  slBamm: [slBamm({ aggregation: 0.4, learningRate: 0.3, auxiliaryLearningRate: 0.2 })],
  soba: [soba({ learningRate: 0.5, auxiliaryLearningRate: 0.4 })],
  amigo: [amigo({ steps: 3, auxiliarySteps: 2, learningRate: 0.5, auxiliaryLearningRate: 0.4 })],
};

test("every case of the fixture is tested, and nothing else", () => {
  expect(Object.keys(rules).sort()).toEqual(Object.keys(fixture.cases).sort());
});

describe.each(Object.entries(rules))("%s", (name, forms) => {
  test.each(forms)(
    "$name: PyTorch's hypergradients, the leader moving between them",
    async (rule) => {
      const expected = fixture.cases[name]!;
      const run = solve(problem, {
        rule,
        ...point,
        optimizer: gradientDescent({ learningRate: fixture.leaderRate }),
        budget: { steps: expected.length },
        innerValue: false,
      });
      const found: number[][] = [];
      for await (const { gradient } of run) found.push(flat(gradient));
      for (const [k, gradient] of expected.entries()) {
        const error = distance(found[k]!, gradient) / Math.hypot(...gradient);
        expect(error, `step ${k}: ${found[k]!.join(", ")}`).toBeLessThan(1e-11);
      }
      // The steps differ, so that agreement in the later ones says more than in the first.
      const [first, second] = expected;
      if (second) expect(distance(first!, second)).toBeGreaterThan(1e-2 * Math.hypot(...second));
    },
  );
});

test("iMAML's proximal tasks: μ(H_i + μI)⁻¹ ∇l_i, task by task", async () => {
  const { mu, T, rate, lambda, gradient, data } = fixture.imaml;
  interface Tasks {
    x: np.Array;
    y: np.Array;
  }
  const ofTasks = (y: np.Array, d: Tasks): np.Array => {
    const [tasks, features] = y.shape as [number, number];
    const margins = np.matmul(d.x, y.reshape([tasks, features, 1])).reshape(d.y.shape);
    return np.mean(nn.softplus(margins.mul(d.y).neg()), 1);
  };
  const proximal = bilevel({
    inner: (y: np.Array, x: np.Array, d: Tasks) =>
      np.sum(ofTasks(y, d)).add(np.sum(np.square(y.sub(x))).mul(mu / 2)),
    outer: (y: np.Array, _x: np.Array, d: Tasks) => np.mean(ofTasks(y, d)),
  }) as Problem;
  const tasks = (data.x as number[][][]).length;
  const at = {
    lambda: f64(lambda),
    w: f64(new Float64Array(tasks * lambda.length), [tasks, lambda.length]),
    data: {
      inner: { x: f64(data.x), y: f64(data.y) },
      outer: { x: f64(data.xv), y: f64(data.yv) },
    },
  };
  const steps = { steps: T, dynamics: gradientDescent({ learningRate: rate }) };
  const rules = [
    implicit({ ...steps, solver: dense() }),
    implicit({ ...steps, solver: conjugateGradient({ maxSteps: 40, rtol: 1e-14 }) }),
    reverse(steps),
  ];
  for (const rule of rules) {
    const found = await hypergradient(proximal, { rule, ...at });
    expect(distance(flat(found.gradient), gradient) / Math.hypot(...gradient)).toBeLessThan(1e-11);
  }
  await disposePrograms(proximal);
});
