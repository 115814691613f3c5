/** IAPTT-GM: the published toy problem, the truncation against plain reverse mode, and the auxiliary's own step. */
import { numpy as np, tree } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  box,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { iaptt, reverse, type IapttOptions } from "../../src/bilevel/rules/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import { descend, leavesOf } from "./descend.ts";
import { allCases, f64, logisticTrees, representation, scalarQuadratic } from "./problems.ts";
import { noData, nonConvex } from "./problems-without-unique-answer.ts";

const cases = allCases();
afterAll(async () => {
  await disposePrograms(nonConvex as Problem);
  for (const { problem } of cases) await disposePrograms(problem);
});

describe("P8, a sine as the inner objective", () => {
  const projection = box({ lower: -2, upper: 2 });
  const dynamics = gradientDescent({ learningRate: 5e-4 });
  const auxiliary = gradientDescent({ learningRate: 0.1 });
  const optimum = (11 * Math.PI) / 4;
  const starts: [x: number, y: number][] = [
    [1, 2],
    [5, 1],
    [7, -1],
  ];
  const run = async (rule: Rule, [x, y]: readonly number[], rate = 0.1, steps = 500) => {
    const constraints = box({ lower: 1, upper: 10 });
    const point = { lambda: f64([x!]), w: f64([y!]), constraints };
    const result = await descend(nonConvex, { rule, rate, steps, ...point });
    return { x: result.x[0]!, y: result.y[0]!, value: result.last.value };
  };
  const iapttOf = (options: Partial<IapttOptions> = {}): Rule =>
    iaptt({ steps: 40, dynamics, auxiliary, projection, ...options });

  test.each([
    [8.726, starts[0]!],
    [8.691, starts[1]!],
    [8.729, starts[2]!],
  ])("the published settings end at x = %f, near 11π/4", async (expected, start) => {
    const { x, y } = await run(iapttOf(), start);
    expect(x).toBeCloseTo(expected, 3);
    expect(Math.abs(x - optimum)).toBeLessThan(0.15);
    expect(Math.abs(y + 2)).toBeLessThan(0.1);
  });

  test("smaller steps of the leader end closer", async () => {
    const end = await run(iapttOf(), starts[0]!, 0.01, 5000);
    expect(Math.abs(end.x - optimum)).toBeLessThan(0.01);
    expect(end.y).toBeCloseTo(-2, 6);
    expect(end.value).toBeCloseTo(-optimum, 2);
  });

  test("here the auxiliary alone does as well: the truncation is not what this toy shows", async () => {
    for (const start of starts) {
      const { x } = await run(iapttOf({ truncation: "none" }), start);
      expect(Math.abs(x - optimum)).toBeLessThan(0.15);
    }
  });

  test("reverse mode from a fixed start fails", async () => {
    const rule = reverse({ steps: 40, dynamics, projection });
    const ends = [];
    for (const [x, y] of starts) {
      const { lambda, value } = await solve(nonConvex, {
        rule,
        optimizer: gradientDescent({ learningRate: 0.1 }),
        lambda: f64([x]),
        w: f64([y]),
        data: noData,
        constraints: box({ lower: 1, upper: 10 }),
        start: "cold",
        budget: { steps: 500 },
      });
      ends.push({ x: leavesOf(lambda)[0]!, value });
    }
    expect(ends[0]!.x).toBe(1);
    expect(ends[1]!.x).toBe(1);
    expect(ends[2]!.x).toBeCloseTo(8.88, 2);
    expect(ends[2]!.value).toBeCloseTo(-1.42, 2);
  });

  test("a follower that converges keeps the method at the local solution 3π/4", async () => {
    const converged = { steps: 100, dynamics: gradientDescent({ learningRate: 5e-3 }) };
    for (const start of starts) {
      const { x } = await run(iapttOf(converged), start, 0.1, 300);
      expect(Math.abs(x - (3 * Math.PI) / 4)).toBeLessThan(0.1);
    }
  });
});

describe("truncation", () => {
  // y runs from −1 towards 1 and E = −(y − λ/4)² + … is largest in between.
  const problem = bilevel({
    inner: (y: np.Array, lambda: np.Array) =>
      np.sum(np.square(y.sub(1))).add(np.sum(np.square(y.mul(lambda))).mul(0.05)),
    outer: (y: np.Array, lambda: np.Array) =>
      np.sum(np.square(y.sub(lambda.mul(0.25)))).mul(-1).add(np.sum(lambda)), // prettier-ignore
  });
  const at = { lambda: f64([0.8, 0.9]), w: f64([-1, -0.9]), data: noData };
  const auxiliary = gradientDescent({ learningRate: 0.1 });
  afterAll(() => disposePrograms(problem as Problem));

  test.each([
    ["gradient descent", gradientDescent({ learningRate: 0.05 })],
    ["momentum", momentum({ learningRate: 0.03, momentum: 0.6 })],
  ])("%s: everything is as in reverse mode with the worst number of steps", async (_, dynamics) => {
    const steps = 20;
    const values: number[] = [];
    for (let j = 1; j <= steps; j++) {
      const { value } = await hypergradient(problem, {
        rule: reverse({ steps: j, dynamics }),
        ...at,
      });
      values.push(value.item());
    }
    const worst = values.indexOf(Math.max(...values)) + 1;
    expect(worst).toBeGreaterThan(2);
    expect(worst).toBeLessThan(steps);
    const cut = await hypergradient(problem, { rule: reverse({ steps: worst, dynamics }), ...at });
    const result = await hypergradient(problem, {
      rule: iaptt({ steps, dynamics, auxiliary }),
      ...at,
    });
    expect(result.report.measured.truncation).toBe(worst);
    expect(result.value.item()).toBe(Math.max(...values));
    expect(result.w).toEqual(cut.w);
    for (const [i, g] of leavesOf(result.gradient).entries()) {
      expect(g).toBeCloseTo(leavesOf(cut.gradient)[i]!, 14);
    }
    expect(result.report.innerGradientNorm).toBeCloseTo(cut.report.innerGradientNorm, 14);
  });

  test("of equals the first; one step has nothing to cut", async () => {
    const still = bilevel({
      inner: (y: np.Array, lambda: np.Array) => np.sum(np.square(y.sub(lambda))),
      outer: (y: np.Array, lambda: np.Array) => np.sum(lambda).add(np.sum(y.mul(0))),
    });
    for (const steps of [1, 2, 7]) {
      const rule = iaptt({ steps, dynamics: gradientDescent({ learningRate: 0.1 }), auxiliary });
      const { report } = await hypergradient(still, { rule, ...at });
      expect(report.measured.truncation).toBe(1);
    }
    await disposePrograms(still as Problem);
  });

  test("a NaN in the trajectory is not passed over", async () => {
    const broken = bilevel({
      inner: (y: np.Array, lambda: np.Array) => np.sum(np.square(y.sub(lambda))),
      // Defined for the first steps only: y falls from 1 to −1 past 0.
      outer: (y: np.Array) => np.sum(np.log(y)),
    });
    const rule = iaptt({ steps: 30, dynamics: gradientDescent({ learningRate: 0.1 }), auxiliary });
    const { report } = await hypergradient(broken, {
      rule,
      lambda: f64([-1]),
      w: f64([1]),
      data: noData,
    });
    expect(report.status).toBe("non-finite");
    await disposePrograms(broken as Problem);
  });
});

describe("the derivative", () => {
  test.each(cases.map((c) => ({ c, name: c.name })))(
    "of $name agrees with central differences",
    async ({ c }) => {
      for (const options of [{}, { truncation: "none" as const }]) {
        const rule = iaptt({
          steps: 6,
          dynamics: momentum({ learningRate: c.learningRate / 4, momentum: 0.5 }),
          auxiliary: gradientDescent({ learningRate: 0.1 }),
          ...options,
        });
        const { lambda, w, data, problem } = c;
        const check = await checkHypergradient(problem, { rule, lambda, w, data });
        expect(check.passed, check.sentence).toBe(true);
      }
    },
  );

  test("with one minibatch for each inner step and a learned representation", async () => {
    const c = representation();
    const stack = (leaf: Tensor): Tensor => {
      const copies = [0, 1, 2].flatMap((i) => [...leaf.data].map((v) => v * (1 + 0.1 * i)));
      return f64(Float64Array.from(copies), [3, ...leaf.shape]);
    };
    const inner = tree.map(stack, c.data.inner) as Tree<Tensor>;
    const rule = iaptt({
      steps: 3,
      dynamics: gradientDescent({ learningRate: 0.05 }),
      auxiliary: gradientDescent({ learningRate: 0.1 }),
    });
    const at = { lambda: c.lambda, w: c.w, data: { inner, outer: c.data.outer }, batched: true };
    const check = await checkHypergradient(c.problem, { rule, ...at });
    expect(check.passed, check.sentence).toBe(true);
    await disposePrograms(c.problem);
  });
});

test("the auxiliary moves against its own total derivative", async () => {
  // P1: y_T = qᵀz + (1 − qᵀ)x/a, so dE/dz = qᵀ(y_T − c).
  const { problem, data } = scalarQuadratic;
  const [a, c, rho, rate, alpha, steps] = [2, 1, 0.1, 0.3, 0.7, 5];
  const q = 0.5 ** steps;
  let [x, z] = [1, 0];
  const norms: number[] = [];
  for (let k = 0; k <= 4; k++) {
    norms.push(Math.abs(a * z - x));
    const y = q * z + ((1 - q) * x) / a;
    [x, z] = [x - rate * (rho * x + ((y - c) * (1 - q)) / a), z - alpha * q * (y - c)];
  }
  const { history } = await descend(problem, {
    rule: iaptt({
      steps,
      dynamics: gradientDescent({ learningRate: 0.25 }),
      auxiliary: gradientDescent({ learningRate: alpha }),
      truncation: "none",
    }),
    rate,
    steps: 4,
    lambda: f64(1),
    w: f64(0),
    data,
  });
  for (const [k, { initialInnerGradientNorm }] of history.entries()) {
    expect(initialInnerGradientNorm).toBeCloseTo(norms[k]!, 14);
  }
});

describe("on trees", () => {
  const c = logisticTrees();
  const at = { lambda: c.lambda, w: c.w, data: c.data };
  const rule = iaptt({
    steps: 5,
    dynamics: momentum({ learningRate: 0.1, momentum: 0.5 }),
    auxiliary: momentum({ learningRate: 0.1, momentum: 0.9 }),
  });
  afterAll(() => disposePrograms(c.problem));

  test("it costs what reverse mode costs", async () => {
    const { report } = await hypergradient(c.problem, { rule, ...at });
    expect(report.cost).toEqual({
      innerGradients: 5,
      hessianVectorProducts: 5,
      crossProducts: 5,
      storedFloats: 5 * 12,
      reportGradients: 2,
    });
    expect(rule.needs.secondDerivatives).toBe(true);
  });

  test("a run that resumes ends with the bytes of one that was never interrupted", async () => {
    let bytes: Uint8Array | undefined;
    const options = {
      rule,
      optimizer: gradientDescent({ learningRate: 0.05 }),
      ...at,
      checkpoint: { save: (saved: Uint8Array) => void (bytes = saved) },
    };
    const whole = await solve(c.problem, { ...options, budget: { steps: 6 } });
    await solve(c.problem, { ...options, budget: { steps: 3 } });
    const resumed = await solve(c.problem, { ...options, budget: { steps: 6 }, resume: bytes! });
    expect(resumed.lambda).toEqual(whole.lambda);
    expect(resumed.w).toEqual(whole.w);
  });

  test("keeps float32", async () => {
    const narrow = (values: Tree<Tensor>): Tree<Tensor> =>
      tree.map((leaf: Tensor) => tensor(leaf, { dtype: "float32" }), values) as Tree<Tensor>;
    const { gradient } = await hypergradient(c.problem, {
      rule,
      lambda: narrow(c.lambda),
      w: narrow(c.w),
      data: { inner: narrow(c.data.inner), outer: narrow(c.data.outer) },
    });
    for (const leaf of tree.leaves<Tensor>(gradient as Tensor)) expect(leaf.dtype).toBe("float32");
  });
});

test("misuse is refused", async () => {
  const options = {
    steps: 2,
    dynamics: gradientDescent({ learningRate: 0.1 }),
    auxiliary: gradientDescent({ learningRate: 0.1 }),
  };
  expect(() => iaptt({ ...options, steps: 0 })).toThrow(
    "iaptt: steps must be a whole number >= 1; 0 came.",
  );
  expect(() => iaptt({ ...options, truncation: "yes" as never })).toThrow(
    'iaptt: truncation must be "pessimistic" or "none"; yes came.',
  );
  const problem = bilevel({
    init: (lambda: np.Array) => lambda,
    inner: (w: np.Array) => np.sum(np.square(w)),
    outer: (w: np.Array) => np.sum(np.square(w)),
  });
  await expect(
    hypergradient(problem, { rule: iaptt(options), lambda: f64([1]), data: noData }),
  ).rejects.toThrow(/iaptt: the problem's init makes the follower's first weights/);
});
