/** Coefficients of the optimizers as hyperparameters: exact derivatives of the steps, against central differences. */
import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import {
  adamW,
  bilevel,
  checkHypergradient,
  disposePrograms,
  sgd,
  stepDecay,
  warmup,
  type Optimizer,
} from "../../src/bilevel/index.ts";
import { forward, reverse } from "../../src/bilevel/rules/index.ts";
import { tensor } from "../../src/program/index.ts";

interface Logs {
  readonly rate: np.Array;
  readonly decay: np.Array;
  readonly mu: np.Array;
}
const learningRate = ({ rate }: Logs): np.Array => np.exp(rate);
const weightDecay = ({ decay }: Logs): np.Array => np.exp(decay);
const momentum = ({ mu }: Logs): np.Array => np.reciprocal(np.exp(mu.neg()).add(1));

/** A quadratic with different curvatures, and no minimum at 0, so that decay matters. */
const problem = bilevel({
  inner: (w: np.Array, _: Logs, { a, c }: { a: np.Array; c: np.Array }) =>
    np.sum(np.square(w.sub(c)).mul(a)).mul(0.5),
  outer: (w: np.Array, _: Logs, { c }: { c: np.Array }) => np.sum(np.square(w.sub(c).add(0.3))),
});
const f64 = { dtype: "float64" } as const;
const data = {
  inner: { a: tensor([1, 0.3, 2.5], f64), c: tensor([1, -2, 0.5], f64) },
  outer: { c: tensor([0.8, -1.5, 0.1], f64) },
};
const lambda = { rate: tensor(-2, f64), decay: tensor(-1.5, f64), mu: tensor(0.7, f64) };

test.each<[string, Optimizer]>([
  ["sgd with weight decay", sgd({ learningRate, weightDecay })],
  ["sgd with everything", sgd({ learningRate, momentum, weightDecay, dampening: 0.4 })],
  ["sgd, Nesterov", sgd({ learningRate, momentum, weightDecay, nesterov: true })],
  ["adamW", adamW({ learningRate, weightDecay, epsilon: 1e-3 })],
  [
    "schedules beside them",
    sgd({
      learningRate: warmup(stepDecay({ initial: 0.2, every: 4, factor: 0.5 }), { steps: 3 }),
      momentum,
      weightDecay,
    }),
  ],
])("%s: rate, decay and momentum are hyperparameters", async (_, dynamics) => {
  for (const rule of [reverse({ steps: 9, dynamics }), forward({ steps: 9, dynamics })]) {
    const check = await checkHypergradient(problem, {
      rule,
      lambda,
      w: tensor([0.2, 0.4, -0.6], f64),
      data,
    });
    expect(check.passed, check.sentence).toBe(true);
  }
  await disposePrograms(problem);
});
