import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { Program, tensor, type Tensor, type Tree } from "../../program/index.ts";
import type { Arrays } from "../problem.ts";
import { readFileSync } from "node:fs";
import { adam } from "./adam.ts";
import { adamW } from "./adam-w.ts";
import { gradientDescent } from "./gradient-descent.ts";
import { momentum } from "./momentum.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";
import { stepDecay, warmup } from "./warmup.ts";
import {
  constant,
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  isSchedule,
  type Schedule,
} from "./schedule.ts";

const GRADIENTS = [0.5, -2, 0, 1e-3, 3];

/** The parameter's path from 1 under the gradients above. */
async function path(optimizer: Optimizer, gradients = GRADIENTS): Promise<number[]> {
  const program = new Program("path");
  const start = program.input("w", { a: tensor(1, { dtype: "float64" }) });
  const stacked = program.input("g", { a: tensor(gradients, { dtype: "float64" }) });
  const state = program.call((w: Arrays) => optimizer.init(w) as never, start) as Tree<never>;
  const [, visited] = program.scan(
    { length: gradients.length },
    ([w, state]: Tree<never>[], g, t) => {
      const update = (g: Arrays, s: Arrays, w: Arrays, t: np.Array): Arrays =>
        optimizer.update(g, s, w, t);
      const next = program.call(update as never, g, state!, w!, t as never) as Tree<never>[];
      return [next, next[0]!];
    },
    [start as never, state],
    stacked as never,
  );
  program.output("visited", visited);
  const executable = await program.compile();
  const run = await executable.run({
    w: { a: tensor(1, { dtype: "float64" }) },
    g: { a: tensor(gradients, { dtype: "float64" }) },
  });
  await executable.dispose();
  return [...(run.visited as { a: Tensor }).a.data];
}

function expectPath(actual: number[], expected: number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-14));
}

describe("updates follow their formulas", () => {
  test("gradient descent", async () => {
    let w = 1;
    const expected = GRADIENTS.map((g) => (w -= 0.1 * g));
    expectPath(await path(gradientDescent({ learningRate: 0.1 })), expected);
  });

  test.each([false, true])("momentum, Nesterov %s", async (nesterov) => {
    let [w, v] = [1, 0];
    const expected = GRADIENTS.map((g) => {
      v = 0.9 * v + g;
      return (w -= 0.1 * (nesterov ? g + 0.9 * v : v));
    });
    const optimizer = momentum({ learningRate: 0.1, momentum: 0.9, nesterov });
    expectPath(await path(optimizer), expected);
  });

  test("Adam, as in the paper's algorithm 1", async () => {
    let [w, m, v] = [1, 0, 0];
    const expected = GRADIENTS.map((g, t) => {
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      return (w -=
        (0.1 * (m / (1 - 0.9 ** (t + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8));
    });
    expectPath(await path(adam({ learningRate: 0.1 })), expected);
    expectPath(await path(adam({ learningRate: 0.1 }), [0, 0]), [1, 1]);
  });

  const torch = JSON.parse(
    readFileSync(new URL("../../../test/fixtures/torch/optimizers.json", import.meta.url), "utf8"),
  ) as { gradients: number[]; paths: Record<string, number[]> };
  const learningRate = 0.1;
  test.each<[string, Optimizer]>([
    ["sgd", sgd({ learningRate })],
    ["sgd weight decay", sgd({ learningRate, weightDecay: 0.3 })],
    ["sgd momentum", sgd({ learningRate, momentum: 0.9 })],
    [
      "sgd momentum, weight decay, dampening",
      sgd({ learningRate, momentum: 0.9, weightDecay: 0.3, dampening: 0.4 }),
    ],
    ["sgd nesterov", sgd({ learningRate, momentum: 0.9, weightDecay: 0.3, nesterov: true })],
    ["adamW", adamW({ learningRate })],
    [
      "adamW weight decay",
      adamW({ learningRate, beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.3 }),
    ],
  ])("%s, as PyTorch's", async (name, optimizer) => {
    expectPath(await path(optimizer, torch.gradients), torch.paths[name]!);
  });

  test("a schedule sees the index of the update", async () => {
    let w = 1;
    const expected = GRADIENTS.map((g, t) => (w -= (0.4 / (1 + 0.5 * t)) * g));
    const learningRate = inverseTimeDecay({ initial: 0.4, decay: 0.5 });
    expectPath(await path(gradientDescent({ learningRate })), expected);
  });

  test("a leader's optimizer cannot depend on λ", async () => {
    const optimizer = gradientDescent({
      learningRate: (lambda: { rate: np.Array }) => lambda.rate,
    });
    await expect(path(optimizer)).rejects.toThrow("which only a follower's optimizer has");
  });
});

describe("schedules", () => {
  const values = async (schedule: Schedule, indices: number[]): Promise<number[]> => {
    const program = new Program("schedule");
    const t = program.input("t", tensor(indices, { dtype: "float64" }));
    program.output(
      "value",
      program.call((t: np.Array) => t.mul(0).add(schedule.at(t)), t),
    );
    const executable = await program.compile();
    const { value } = await executable.run({ t: tensor(indices, { dtype: "float64" }) });
    await executable.dispose();
    return [...(value as Tensor).data];
  };

  test.each([
    { schedule: constant(0.3), at: [0, 9], expected: [0.3, 0.3] },
    {
      schedule: inverseTimeDecay({ initial: 2, decay: 0.5 }),
      at: [0, 2, 6],
      expected: [2, 1, 0.5],
    },
    {
      schedule: exponentialDecay({ initial: 3, rate: 0.25, steps: 4 }),
      at: [0, 2, 4],
      expected: [3, 1.5, 0.75],
    },
    {
      schedule: cosineDecay({ initial: 2, steps: 10, final: 1 }),
      at: [0, 5, 10, 50],
      expected: [2, 1.5, 1, 1],
    },
    {
      schedule: warmup(cosineDecay({ initial: 2, steps: 10, final: 1 }), { steps: 4 }),
      at: [0, 1, 3, 5, 50],
      expected: [
        0.25 * 2,
        0.5 * (1.5 + 0.5 * Math.cos(0.1 * Math.PI)),
        1.5 + 0.5 * Math.cos(0.3 * Math.PI),
        1.5,
        1,
      ],
    },
    {
      schedule: stepDecay({ initial: 3, every: 7, factor: 0.5 }),
      at: [0, 6, 7, 13, 14, 700],
      expected: [3, 3, 1.5, 1.5, 0.75, 3 * 0.5 ** 100],
    },
  ])("$schedule.name", async ({ schedule, at, expected }) => {
    expect(isSchedule(schedule)).toBe(true);
    expectPath(await values(schedule, at), expected);
  });

  test("refuse what cannot work", () => {
    expect(() => inverseTimeDecay({ initial: 1, decay: -1 })).toThrow("decay must be a finite");
    expect(() => exponentialDecay({ initial: 1, rate: 0 })).toThrow(
      "rate must be a finite number > 0",
    );
    expect(() => cosineDecay({ initial: NaN, steps: 3 })).toThrow("initial must be");
    expect(() => warmup(constant(1), { steps: 0 })).toThrow("warmup: steps must be a whole number");
    expect(() => warmup({} as never, { steps: 1 })).toThrow("warmup: then must be a schedule");
    expect(() => stepDecay({ initial: 1, every: 2.5 })).toThrow("stepDecay: every must be a whole");
    expect(() => stepDecay({ initial: 1, every: 2, factor: 0 })).toThrow("stepDecay: factor must");
    expect(() => sgd({ learningRate: 0.1, nesterov: true })).toThrow(
      "sgd: nesterov needs a momentum",
    );
    expect(() => sgd({ learningRate: 0.1, weightDecay: -1 })).toThrow("sgd: weightDecay must be");
    expect(() => sgd({ learningRate: 0.1, dampening: 2 })).toThrow("sgd: dampening must be in");
    expect(() => adamW({ learningRate: 0.1, weightDecay: -1 })).toThrow("adamW: weightDecay must");
    expect(isSchedule(0.1)).toBe(false);
  });
});
