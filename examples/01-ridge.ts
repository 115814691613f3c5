/**
 * Ridge regression with one feature: the leader picks the logarithm of the penalty, the follower fits
 * the weight. Small enough to know the result: λ* = 1.66361.
 *
 *   node --import tsx examples/01-ridge.ts
 */
import assert from "node:assert/strict";
import { type Array as JaxArray, numpy as np } from "@jax-js/jax";

import {
  adam,
  bilevel,
  checkHypergradient,
  gradientDescent,
  reverse,
  solve,
  tensor,
} from "../src/index.ts";

interface Data {
  readonly x: JaxArray;
  readonly y: JaxArray;
}

// Two plain functions. The hyperparameter is an argument, never captured; nobody writes `.ref`.
const ridge = bilevel({
  inner: (w: JaxArray, lambda: JaxArray, { x, y }: Data) =>
    np
      .sum(np.square(np.dot(x, w).sub(y)))
      .add(np.sum(np.exp(lambda).mul(np.square(w))))
      .mul(0.5),
  outer: (w: JaxArray, _: JaxArray, { x, y }: Data) =>
    np.sum(np.square(np.dot(x, w).sub(y))).mul(0.5),
});

const double = { dtype: "float64" } as const;
const setting = {
  // 60 steps of gradient descent, differentiated exactly.
  rule: reverse({ steps: 60, dynamics: gradientDescent({ learningRate: 0.04 }) }),
  lambda: tensor([0], double),
  w: tensor([0], double),
  data: {
    inner: { x: tensor([[1], [2], [3]], double), y: tensor([1, 2, 2], double) },
    outer: { x: tensor([[1.5], [2.5]], double), y: tensor([0.9, 1.4], double) },
  },
};

// Trust it? The check compares with central differences and says so in words.
const check = await checkHypergradient(ridge, setting);
console.log(check.sentence);
assert.ok(check.passed);

const result = await solve(ridge, {
  ...setting,
  optimizer: adam({ learningRate: 0.1 }),
  budget: { steps: 300 },
});
console.log(result.sentence);
console.log(`λ = ${result.lambda.item().toFixed(5)}, outer objective ${result.value.toFixed(8)}`);
assert.ok(Math.abs(result.lambda.item() - 1.66361) < 1e-4);
