/** Stochastic rules on trees, in float32, and with a `prepare` on stacked minibatches. */
import { tree } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  amigo,
  fsla,
  mrbo,
  reverse,
  saba,
  soba,
  stocBio,
  sustain,
  ttsa,
} from "../../src/bilevel/rules/index.ts";
import {
  disposePrograms,
  gradientDescent,
  hypergradient,
  minibatches,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import { leavesOf } from "./descend.ts";
import { logisticTrees, planeQuadratic, representation } from "./problems.ts";

const trees = logisticTrees();
const learned = representation();
afterAll(async () => {
  for (const { problem } of [trees, learned, planeQuadratic]) {
    await disposePrograms(problem as Problem);
  }
});
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe("weights and hyperparameters that are different trees", () => {
  const { lambda, data, learningRate, problem } = trees;
  const expected = hypergradient(problem, {
    rule: reverse({ steps: 2000, dynamics: gradientDescent({ learningRate }) }),
    lambda,
    w: trees.w,
    data,
  });

  test.each([
    soba({ learningRate }),
    saba({ learningRate }),
    fsla({ learningRate }),
    amigo({ learningRate }),
    stocBio({ learningRate, products: 1000 }),
    mrbo({ learningRate, products: 1000 }),
  ])("$name, from the follower's answer: the exact hypergradient", async (rule) => {
    const { w, gradient } = await expected;
    const run = solve(problem, {
      rule,
      optimizer: gradientDescent({ learningRate: 1e-300 }),
      lambda,
      w,
      data,
      budget: { steps: rule.name === "stocbio" || rule.name === "mrbo" ? 2 : 1500 },
      innerValue: false,
    });
    let direction: number[] = [];
    for await (const step of run) direction = leavesOf(step.gradient);
    const exact = leavesOf(gradient);
    expect(distance(direction, exact)).toBeLessThan(1e-8 * Math.max(...exact.map(Math.abs)));
  });
});

const everyRule = (): Rule[] => [
  soba(),
  saba(),
  fsla(),
  amigo({ steps: 2, auxiliarySteps: 3 }),
  stocBio({ steps: 2, products: 3 }),
  ttsa({ steps: 2, terms: 4 }),
  mrbo({ products: 3 }),
  sustain({ terms: 4 }),
];

test.each(everyRule())("$name in float32 is itself in float64, rounded", async (rule) => {
  const { problem, lambda, w, data } = planeQuadratic;
  const run = async (cast: (values: Tree<Tensor>) => Tree<Tensor>): Promise<Tensor> => {
    const found = await solve(problem, {
      rule,
      optimizer: gradientDescent({ learningRate: 0.05 }),
      lambda: cast(lambda),
      w: cast(w),
      data: { inner: cast(data.inner), outer: cast(data.outer) },
      budget: { steps: 20 },
      innerValue: false,
    });
    expect(found.status).toBe("max-steps");
    return found.lambda as unknown as Tensor;
  };
  const single = (values: Tree<Tensor>): Tree<Tensor> =>
    tree.map(
      (x: Tensor) => tensor(Float32Array.from(x.data), { shape: [...x.shape] }),
      values,
    ) as Tree<Tensor>;
  const [narrow, wide] = [await run(single), await run((values) => values)];
  expect([narrow.dtype, wide.dtype]).toEqual(["float32", "float64"]);
  expect(distance([...narrow.data], [...wide.data])).toBeLessThan(1e-5);
  expect(distance([...wide.data], [1, 1])).toBeGreaterThan(0.01);
});

test.each(everyRule())(
  "$name: stacked batches of all the examples are the data at once",
  async (rule) => {
    const { problem, lambda, w, data } = learned;
    const run = async (inner: typeof data.inner | ReturnType<typeof minibatches>) =>
      leavesOf(
        (
          await solve(problem, {
            rule,
            optimizer: gradientDescent({ learningRate: 0.01 }),
            lambda,
            w,
            data: { inner, outer: data.outer },
            budget: { steps: 8 },
            innerValue: false,
          })
        ).lambda,
      );
    const stacked = minibatches({ data: data.inner, size: 7, perStep: rule.innerSteps });
    const found = await run(stacked);
    expect(distance(found, await run(data.inner))).toBeLessThan(1e-13);
    expect(distance(found, leavesOf(lambda))).toBeGreaterThan(1e-4);
  },
);
