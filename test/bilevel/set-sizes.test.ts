/** Simplex and l1 ball whose size is a hyperparameter: closed forms, central differences, and what is said of an empty set. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  boxWithinL1Ball,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  simplex,
  solve,
  type Projection,
} from "../../src/bilevel/index.ts";
import { forward, implicit, reverse } from "../../src/bilevel/rules/index.ts";
import { fixedPoint } from "../../src/linear/index.ts";
import { tensor } from "../../src/program/index.ts";

const f64 = (values: number | number[]) => tensor(values, { dtype: "float64" });
/** The nearest point of the set to c, judged by its distance from d. */
const problem = bilevel({
  inner: (w: np.Array, _: np.Array, c: np.Array) => np.sum(np.square(w.sub(c))).mul(0.5),
  outer: (w: np.Array, _: np.Array, d: np.Array) => np.sum(np.square(w.sub(d))),
});
afterAll(() => disposePrograms(problem));

const data = { inner: f64([0.8, 0.6, -1]), outer: f64([0.1, 0.7, 0.4]) };
const w = f64([0.3, 0.3, 0.3]);
const size = (lambda: np.Array): np.Array => np.exp(lambda);

describe.each<[string, Projection]>([
  ["simplex", simplex({ total: size })],
  ["l1 ball", boxWithinL1Ball({ radius: size })],
])("%s", (_, projection) => {
  const dynamics = gradientDescent({ learningRate: 0.5 });
  const options = { steps: 60, dynamics, projection };
  const rules = [
    reverse(options),
    forward(options),
    implicit({
      ...options,
      through: "dynamics",
      solver: fixedPoint({ maxSteps: 200, rtol: 1e-12 }),
    }),
  ];

  test.each(rules)("$name: half of the size for each of two weights", async (rule) => {
    // w = (c₀ + t, c₁ + t, 0) with 2t = size − 1.4, as long as both are above 0 and at most 1.
    const lambda = Math.log(0.9);
    const t = (0.9 - 1.4) / 2;
    const {
      w: found,
      gradient,
      report,
    } = await hypergradient(problem, {
      rule,
      lambda: f64(lambda),
      w,
      data,
    });
    [0.8 + t, 0.6 + t, 0].forEach((value, i) => expect(found.data[i]).toBeCloseTo(value, 12));
    const slope = 0.9 * (0.8 + t - 0.1 + (0.6 + t - 0.7));
    expect(gradient.item()).toBeCloseTo(slope, 10);
    expect(report.sentence).not.toContain("a function of the hyperparameters");
  });

  test("against central differences", async () => {
    for (const lambda of [-2, -0.3]) {
      const check = await checkHypergradient(problem, {
        rule: reverse(options),
        lambda: f64(lambda),
        w,
        data,
      });
      expect(check.passed, check.sentence).toBe(true);
    }
  });
});

test("a size that is not positive is named, and nothing is called solved", async () => {
  const plain = (lambda: np.Array): np.Array => lambda;
  const dynamics = gradientDescent({ learningRate: 0.5 });
  for (const [projection, name] of [
    [simplex({ total: plain }), "simplexTotal"],
    [boxWithinL1Ball({ radius: plain }), "ballRadius"],
  ] as const) {
    const rule = reverse({ steps: 5, dynamics, projection });
    const { report } = await hypergradient(problem, { rule, lambda: f64(-0.5), w, data });
    expect(report.status).toBe("max-steps");
    expect(report.sentence).toContain(`${name}, a function of the hyperparameters, is -0.5`);
  }
});

test("what cannot be a size is refused", async () => {
  expect(() => simplex({ total: 0 })).toThrow("simplex: total must be a positive number");
  expect(() => boxWithinL1Ball({ radius: "1" as never })).toThrow("radius must be a positive");
  const dynamics = gradientDescent({ learningRate: 0.5 });
  const pair = (lambda: np.Array): np.Array => np.stack([lambda, lambda]);
  const rule = reverse({ steps: 5, dynamics, projection: simplex({ total: pair }) });
  await expect(hypergradient(problem, { rule, lambda: f64(1), w, data })).rejects.toThrow(
    "simplex: total must return a scalar; an array of shape [2] came",
  );
  const confined = solve(problem, {
    rule: reverse({ steps: 5, dynamics }),
    optimizer: dynamics,
    constraints: simplex({ total: size }),
    lambda: f64([1]),
    w,
    data,
  });
  await expect(confined).rejects.toThrow("which only a follower's projection has");
});
