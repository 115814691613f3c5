/** The reverse rule against PyTorch's unrolled reverse mode; fixtures by test/peers/generate.py. */
import { readFileSync } from "node:fs";
import { nn, numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  type Optimizer,
  type Problem,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { tensor, type DType, type Tensor, type Tree } from "../../src/program/index.ts";

type Nested = Parameters<typeof tensor>[0];

interface Fixture {
  readonly case: string;
  readonly steps: number;
  readonly learningRate: number;
  readonly momentum?: number;
  readonly data: Record<"x" | "y" | "xv" | "yv", Nested>;
  readonly w: Nested[];
  readonly lambda: Nested[];
  readonly value: number;
  readonly answer: Nested[];
  readonly gradient: Nested[];
}

interface Data {
  x: np.Array;
  y: np.Array;
}

const logistic = (features: number): Problem =>
  bilevel({
    inner: (w: np.Array[], lambda: np.Array[], d: Data) =>
      np
        .mean(nn.softplus(np.matmul(d.x, w[0]!).mul(d.y).neg()))
        .add(np.sum(np.exp(lambda[0]!).mul(np.square(w[0]!))).mul(0.5 / features)),
    outer: (w: np.Array[], _lambda: np.Array[], d: Data) =>
      np.mean(nn.softplus(np.matmul(d.x, w[0]!).mul(d.y).neg())),
  });

/** Cross entropy of each row; the labels are integers. */
function crossEntropy(logits: np.Array, labels: np.Array): np.Array {
  const own = nn.oneHot(labels, logits.shape[1]!).astype(logits.dtype);
  return np.sum(nn.logSoftmax(logits).mul(own), 1).neg();
}

const affine = (w: np.Array[], x: np.Array, layer = 0): np.Array =>
  np.matmul(x, w[layer]!).add(w[layer + 1]!);

const cleaning: Problem = bilevel({
  inner: (w: np.Array[], lambda: np.Array[], d: Data) =>
    np.mean(nn.sigmoid(lambda[0]!).mul(crossEntropy(affine(w, d.x), d.y))),
  outer: (w: np.Array[], _lambda: np.Array[], d: Data) =>
    np.mean(crossEntropy(affine(w, d.x), d.y)),
});

const network = (w: np.Array[], x: np.Array): np.Array => affine(w, nn.relu(affine(w, x)), 2);
const mlp: Problem = bilevel({
  inner: (w: np.Array[], lambda: np.Array[], d: Data) => {
    const penalty = (k: number): np.Array => np.exp(lambda[k]!).mul(np.sum(np.square(w[2 * k]!)));
    return np.mean(crossEntropy(network(w, d.x), d.y)).add(penalty(0).add(penalty(1)).mul(1e-2));
  },
  outer: (w: np.Array[], _lambda: np.Array[], d: Data) =>
    np.mean(crossEntropy(network(w, d.x), d.y)),
});

const problems: Record<string, Problem> = {
  logistic: logistic(6),
  "logistic-momentum": logistic(6),
  cleaning,
  mlp,
};

const read = (name: string): Fixture =>
  JSON.parse(
    readFileSync(new URL(`../fixtures/torch/${name}.json`, import.meta.url), "utf8"),
  ) as Fixture;

function dynamicsOf(fixture: Fixture): Optimizer {
  const { learningRate, momentum: mu } = fixture;
  return mu === undefined
    ? gradientDescent({ learningRate })
    : momentum({ learningRate, momentum: mu });
}

/** ‖actual − expected‖ / ‖expected‖ over all leaves. */
function distance(actual: Tree<Tensor>, expected: Nested[]): number {
  let [error, size] = [0, 0];
  (actual as Tensor[]).forEach((leaf, k) => {
    const wanted = tensor(expected[k]!, { dtype: "float64" }).data;
    leaf.data.forEach((v, i) => {
      error += (v - wanted[i]!) ** 2;
      size += wanted[i]! ** 2;
    });
  });
  return Math.sqrt(error / size);
}

describe.each([
  { dtype: "float64" as DType, tolerance: 1e-12 },
  { dtype: "float32" as DType, tolerance: 1e-5 },
])("PyTorch in $dtype", ({ dtype, tolerance }) => {
  afterAll(async () => {
    for (const problem of Object.values(problems)) await disposePrograms(problem);
  });

  test.each(Object.keys(problems))("%s", async (name) => {
    const fixture = read(name);
    const all = (values: Nested[]): Tensor[] => values.map((value) => tensor(value, { dtype }));
    const isClassified = name === "cleaning" || name === "mlp";
    const level = (x: Nested, y: Nested): Tree<Tensor> => ({
      x: tensor(x, { dtype }),
      y: tensor(y, { dtype: isClassified ? "int32" : dtype }),
    });
    const { x, y, xv, yv } = fixture.data;
    for (const checkpoints of [undefined, "sqrt"] as const) {
      const rule = reverse({
        steps: fixture.steps,
        dynamics: dynamicsOf(fixture),
        ...(checkpoints && { checkpoints }),
      });
      const result = await hypergradient(problems[name]!, {
        rule,
        lambda: all(fixture.lambda),
        w: all(fixture.w),
        data: { inner: level(x, y), outer: level(xv, yv) },
      });
      expect(distance(result.gradient, fixture.gradient)).toBeLessThan(tolerance);
      expect(distance(result.w, fixture.answer)).toBeLessThan(tolerance);
      expect(Math.abs(result.value.item() - fixture.value)).toBeLessThan(tolerance);
    }
  });
});
