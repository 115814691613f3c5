/** PZOBO along known directions, its mean and spread over them, and what a step is on minibatches. */
import { grad, numpy as np, tree } from "@jax-js/jax";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  minibatches,
  momentum,
  solve,
  type Rule,
} from "../../src/bilevel/index.ts";
import { pzobo, reverse } from "../../src/bilevel/rules/index.ts";
import { drawDirections } from "../../src/bilevel/rules/stochastic/pzobo.ts";
import { compile, Program, tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import type { Value } from "../../src/program/ir.ts";
import { leavesOf } from "./descend.ts";
import { evaluate, expectClose, still } from "./evaluate.ts";
import { scalarPoint, scalarSum, stoppedAndWhole } from "./finite-sum.ts";
import { allCases, f64, logRidge, planeQuadratic, type Case } from "./problems.ts";

const cases = allCases();
const quadratics = cases.slice(0, 2);
afterEach(async () => {
  for (const { problem } of [...cases, planeQuadratic, logRidge]) await disposePrograms(problem);
});
afterAll(() => disposePrograms(scalarSum));
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const mean = (values: readonly number[]): number => dot(values, values.map(() => 1)) / values.length; // prettier-ignore
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** u_1 … u_Q of outer step k, each flattened like λ. */
async function directionsAt(
  lambda: Tree<Tensor>,
  options: { directions: number; seed: number },
  k = 0,
): Promise<number[][]> {
  const program = new Program();
  const step = tensor(k, { dtype: "int32" });
  const like = program.input("lambda", lambda as never) as Tree<Value>;
  const drawn = drawDirections(program, like, options, program.input("k", step) as Value);
  program.output("u", drawn as never);
  const executable = await program.compile();
  const { u } = await executable.run({ lambda: lambda as never, k: step });
  await executable.dispose();
  const leaves = tree.leaves<Tensor>(u as Tree<Tensor>).map(({ data }) => [...data]);
  return range(options.directions).map((j) =>
    leaves.flatMap((leaf) => {
      const width = leaf.length / options.directions;
      return leaf.slice(j * width, (j + 1) * width);
    }),
  );
}

/** ∇_λ E(w, λ), through `prepare`. */
async function directPart({ problem, lambda, data }: Case, w: Tree<Tensor>): Promise<number[]> {
  const direct = compile((lambda: np.Array, w: np.Array, outer: np.Array) =>
    grad((l: np.Array) => problem.outer(w, l, problem.prepare ? problem.prepare(l, outer) : outer))(
      lambda,
    ),
  );
  const found = await direct(lambda as never, w as never, data.outer as never);
  await direct.dispose();
  return leavesOf(found);
}

/** What the estimate is along given directions when the response is linear: d + (1/Q) Σ_j ⟨g, u_j⟩ u_j. */
function along(direct: number[], g: number[], directions: number[][]): number[] {
  return direct.map((d, i) => d + mean(directions.map((u) => dot(g, u) * u[i]!)));
}

describe("known directions", () => {
  // On a quadratic a difference of w_T is its derivative whatever μ is; rounding is that of w_T over μ.
  test.each(quadratics)("$name: exactly the T-step response along them", async (c) => {
    const dynamics = gradientDescent({ learningRate: c.learningRate });
    const options = { directions: 3, seed: 4 };
    const exact = await evaluate(c, reverse({ steps: 6, dynamics }));
    const direct = await directPart(c, exact.w);
    const g = exact.gradient.map((h, i) => h - direct[i]!);
    const expected = along(direct, g, await directionsAt(c.lambda, options));
    for (const smoothing of [1e-3, 0.1, 10]) {
      const found = await evaluate(c, pzobo({ steps: 6, dynamics, smoothing, ...options }));
      expectClose(found.gradient, expected, 1e-12 + 1e-15 / smoothing);
      expect(found.value).toBe(exact.value);
    }
    expect(Math.max(...g.map(Math.abs))).toBeGreaterThan(0.1);
  });

  // Elsewhere a difference is off by μ/2 of a second derivative, at most some hundreds here.
  test.each(cases)("$name: for small steps the same, through trees and `prepare`", async (c) => {
    const dynamics = momentum({ learningRate: c.learningRate / 2, momentum: 0.4 });
    const options = { directions: 2, seed: 1 };
    const exact = await evaluate(c, reverse({ steps: 5, dynamics }));
    const direct = await directPart(c, exact.w);
    const g = exact.gradient.map((h, i) => h - direct[i]!);
    const expected = along(direct, g, await directionsAt(c.lambda, options));
    const rule = pzobo({ steps: 5, dynamics, smoothing: 1e-6, ...options });
    const scale = Math.max(...expected.map(Math.abs));
    expectClose((await evaluate(c, rule)).gradient, expected, 1e-4 * scale);
  });

  test("P3: a long step is the difference of the answers, bias and all", async () => {
    // w_T(λ) = 11/(14 + e^λ) (1 − (1 − s(14 + e^λ))^T), and E' = Σ x(xw − y) at λ = 0.
    const [s, T, smoothing] = [0.05, 4, 0.5];
    const answer = (lambda: number): number => {
      const curvature = 14 + Math.exp(lambda);
      return (11 / curvature) * (1 - (1 - s * curvature) ** T);
    };
    const slope = 1.5 * (1.5 * answer(0) - 0.9) + 2.5 * (2.5 * answer(0) - 1.4);
    const options = { directions: 50, seed: 0 };
    const us = (await directionsAt(logRidge.lambda, options)).map(([u]) => u!);
    const ratios = us.map((u) => ((answer(smoothing * u) - answer(0)) / smoothing) * u);
    const dynamics = gradientDescent({ learningRate: s });
    const rule = pzobo({ steps: T, dynamics, smoothing, ...options });
    expectClose((await evaluate(logRidge, rule)).gradient, [slope * mean(ratios)], 1e-14);
  });
});

describe("over the directions", () => {
  const dynamics = gradientDescent({ learningRate: 0.3 });
  const c = planeQuadratic;

  test("P2: the mean is the T-step hypergradient, within its predicted standard error", async () => {
    const directions = 4000;
    const exact = await evaluate(c, reverse({ steps: 20, dynamics }));
    expectClose(exact.gradient, [-0.6300796413, 1.8054530803], 1e-9);
    // ∇_λE = 0.1 x.
    const g = exact.gradient.map((h) => h - 0.1);
    const found = await evaluate(c, pzobo({ steps: 20, dynamics, directions, seed: 2 }));
    for (const [i, h] of found.gradient.entries()) {
      const error = Math.sqrt((dot(g, g) + g[i]! ** 2) / directions);
      expect(Math.abs(h - exact.gradient[i]!)).toBeLessThan(4 * error);
      expect(error).toBeLessThan(0.05);
    }
  });

  test("P2: the variance of an entry is (‖g‖² + g_i²)/Q", async () => {
    const [directions, draws] = [50, 400];
    const rule = pzobo({ steps: 20, dynamics, directions, seed: 3 });
    const run = solve(c.problem, {
      lambda: c.lambda,
      w: c.w,
      data: c.data,
      rule,
      optimizer: still,
      start: "warm",
      budget: { steps: draws },
      innerValue: false,
    });
    const all: number[][] = [];
    for await (const { gradient } of run) all.push(leavesOf(gradient));
    // From step 2 on the answer has converged: g = −BA⁻¹(y* − c).
    const g = [-0.7346938776, 1.7142857143];
    for (const i of [0, 1]) {
      const values = all.slice(2).map((h) => h[i]!);
      const center = mean(values);
      const variance = mean(values.map((h) => (h - center) ** 2));
      // Five standard deviations of a sampled variance, √(2/n) of it for the nearly normal mean of 50 terms.
      const predicted = (dot(g, g) + g[i]! ** 2) / directions;
      expect(Math.abs(variance / predicted - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
    }
  });

  test("directions are the seed's and the outer step's, and standard normal", async () => {
    const like = { a: f64([0, 0, 0]), b: [f64(0), tensor([0, 0], { shape: [1, 2] })] };
    const draw = async (seed: number, k: number): Promise<number[]> =>
      (await directionsAt(like, { directions: 500, seed }, k)).flat();
    const found = await draw(5, 2);
    expect(found).toHaveLength(3000);
    expect(await draw(5, 2)).toEqual(found);
    for (const other of [await draw(6, 2), await draw(5, 3)]) {
      // No correlation beyond five standard errors.
      expect(Math.abs(dot(found, other)) / 3000).toBeLessThan(5 / Math.sqrt(3000));
    }
    expect(Math.abs(mean(found))).toBeLessThan(5 / Math.sqrt(3000));
    expect(Math.abs(mean(found.map((u) => u * u)) - 1)).toBeLessThan(5 * Math.sqrt(2 / 3000));
  });
});

test("minibatches: every run of an outer step sees the same ones", async () => {
  const [steps, smoothing, s] = [3, 0.2, 0.1];
  const options = { directions: 2, seed: 8 };
  const rule = pzobo({ steps, smoothing, dynamics: gradientDescent({ learningRate: s }), ...options }); // prettier-ignore
  const { a, b } = scalarPoint.data.inner;
  const inner = minibatches({ data: { a, b }, size: 1, perStep: steps });
  const run = solve(scalarSum, {
    ...scalarPoint,
    rule,
    optimizer: gradientDescent({ learningRate: 0.2 }),
    data: { inner, outer: scalarPoint.data.outer },
    budget: { steps: 5 },
    innerValue: false,
    seed: 6,
  });
  const found: number[] = [];
  for await (const { gradient } of run) found.push(leavesOf(gradient)[0]!);
  let [x, z] = [0.3, 0.4];
  for (const [k, h] of found.entries()) {
    const { a, b } = inner.batch(k, { seed: 6, stream: "inner" }) as Record<"a" | "b", Tensor>;
    const last = (x: number): number =>
      range(steps).reduce((z, t) => z - s * (a.data[t]! * z - b.data[t]! * x), z);
    const us = await directionsAt(scalarPoint.lambda, options, k);
    const slopes = us.map(([u]) => ((last(x + smoothing * u!) - last(x)) / smoothing) * u!);
    expect(h).toBeCloseTo(0.1 * x + (last(x) - 1) * mean(slopes), 13);
    z = last(x);
    x -= 0.2 * h;
  }
});

test("a run that was stopped goes on bit for bit", async () => {
  const dynamics = momentum({ learningRate: 0.1, momentum: 0.5 });
  const [stopped, whole] = await stoppedAndWhole(pzobo({ steps: 2, directions: 2, dynamics }));
  expect(Buffer.compare(stopped, whole)).toBe(0);
});

test("costs, and what cannot work", async () => {
  const dynamics = gradientDescent({ learningRate: 0.3 });
  const make = (options: object): Rule => pzobo({ steps: 4, dynamics, ...options });
  expect((await evaluate(planeQuadratic, make({ directions: 3 }))).report.cost).toEqual({
    innerGradients: 4 * 4,
    hessianVectorProducts: 0,
    crossProducts: 0,
    storedFloats: 2 * 2 + 3 * 2,
    reportGradients: 2,
  });
  expect(() => make({ steps: 0 })).toThrow("pzobo: steps must be a whole number >= 1; 0 came.");
  expect(() => make({ directions: 1.5 })).toThrow("pzobo: directions must be a whole number >= 1");
  expect(() => make({ smoothing: 0 })).toThrow("pzobo: smoothing must be a finite number > 0");
  expect(() => make({ smoothing: NaN })).toThrow("pzobo: smoothing must be");
  expect(() => make({ seed: 2 ** 32 })).toThrow("pzobo: seed must be a whole number from 0");
  const withInit = bilevel({
    inner: (z: np.Array, x: np.Array) => np.sum(np.square(z.sub(x))),
    outer: (z: np.Array) => np.sum(np.square(z)),
    init: (x: np.Array) => x,
  });
  const point = { lambda: f64(1), data: { inner: [], outer: [] } };
  await expect(hypergradient(withInit, { rule: make({}), ...point })).rejects.toThrow(
    "pzobo: the problem's init replaces the follower's state",
  );
});
