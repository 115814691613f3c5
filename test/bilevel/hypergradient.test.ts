/** What an evaluation accepts, refuses and says. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  adam,
  bilevel,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  type Problem,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import { f64, logisticTrees, planeQuadratic, representation, sequence } from "./problems.ts";

const rule = reverse({ steps: 6, dynamics: gradientDescent({ learningRate: 0.1 }) });
const opened: Problem[] = [];
function problemOf(parts: Problem): Problem {
  const problem = bilevel(parts);
  opened.push(problem);
  return problem;
}
afterAll(async () => {
  for (const problem of opened) await disposePrograms(problem);
});

const flat = (value: unknown): number[] => [...(value as Tensor).data];
const square = (w: np.Array, lambda: np.Array): np.Array => np.sum(np.square(w.sub(lambda)));

describe("misuse is refused in a sentence", () => {
  const data = { inner: tensor([1, 2]), outer: tensor([1, 2]) };
  const w = tensor([0, 0]);

  test("integer hyperparameters and weights, by their path", async () => {
    const problem = problemOf({ inner: square, outer: square });
    const integers = tensor(new Int32Array([1, 2]));
    await expect(
      hypergradient(problem, { rule, lambda: { rate: [integers] }, w, data }),
    ).rejects.toThrow(/lambda\.rate\[0\] must be floating-point.*it is int32\[2\]/);
    await expect(
      hypergradient(problem, { rule, lambda: tensor([1, 2]), w: { bias: integers }, data }),
    ).rejects.toThrow(/w\.bias must be floating-point/);
  });

  test("an objective that is not a scalar, by its name", async () => {
    const inner = problemOf({ inner: (w: np.Array, l: np.Array) => w.sub(l), outer: square });
    await expect(hypergradient(inner, { rule, lambda: tensor([1, 2]), w, data })).rejects.toThrow(
      /^inner objective: must return a scalar, it returns float32\[2\]/,
    );
    const outer = problemOf({ inner: square, outer: (w: np.Array, l: np.Array) => w.sub(l) });
    await expect(hypergradient(outer, { rule, lambda: tensor([1, 2]), w, data })).rejects.toThrow(
      /^outer objective: must return a scalar/,
    );
  });

  test("shapes that clash, by the objective's name", async () => {
    const problem = problemOf({
      inner: square,
      outer: (w: np.Array, _l: np.Array, d: np.Array) => np.sum(np.matmul(d, w)),
    });
    const clash = { inner: tensor([1]), outer: tensor([[1, 2, 3]]) };
    await expect(
      hypergradient(problem, { rule, lambda: tensor([1, 2]), w, data: clash }),
    ).rejects.toThrow(/^outer objective: /);
  });

  test("a hyperparameter captured by a closure", async () => {
    const lambda = { center: np.array([1, 2]), decay: np.array([0.1, 0.2]) };
    const problem = problemOf({
      inner: (w: np.Array, l: { center: np.Array }) =>
        square(w, l.center).add(np.sum(lambda.decay.mul(np.square(w)))),
      outer: (w: np.Array) => np.sum(np.square(w)),
    });
    await expect(hypergradient(problem, { rule, lambda, w, data })).rejects.toThrow(
      /reads lambda\.decay from its closure/,
    );
  });

  test("missing weights", async () => {
    const problem = problemOf({ inner: square, outer: square });
    await expect(hypergradient(problem, { rule, lambda: tensor([1, 2]), data })).rejects.toThrow(
      "w, the follower's first weights, is missing",
    );
  });

  test("options of a rule and parts of a problem", () => {
    const dynamics = gradientDescent({ learningRate: 0.1 });
    expect(() => reverse({ steps: 0, dynamics })).toThrow("steps must be a whole number >= 1; 0");
    expect(() => reverse({ steps: 4, dynamics, checkpoints: 1.5 })).toThrow("checkpoints");
    expect(() => gradientDescent({ learningRate: -1 })).toThrow("finite number > 0");
    expect(() => momentum({ learningRate: 0.1, momentum: 1 })).toThrow(">= 0 and < 1");
    expect(() => adam({ learningRate: 0.1, epsilon: 0 })).toThrow("epsilon must be > 0");
    expect(() => bilevel({ inner: square } as never)).toThrow("outer is missing");
    expect(() => bilevel({ inner: square, outer: square, lower: square } as never)).toThrow(
      '"lower" is not part of a problem',
    );
  });
});

describe("the report", () => {
  const data = { inner: tensor([1, 2]), outer: tensor([1, 2]) };

  test("names hyperparameters that nothing reads", async () => {
    const problem = problemOf({
      inner: (w: np.Array, l: { used: np.Array }) => square(w, l.used),
      outer: (w: np.Array) => np.sum(np.square(w)),
    });
    const lambda = { used: tensor([1, 2]), idle: tensor([3]) };
    const { gradient, report } = await hypergradient(problem, {
      rule,
      lambda,
      w: tensor([0, 0]),
      data,
    });
    expect(flat((gradient as { idle: Tensor }).idle)).toEqual([0]);
    expect(report.warnings).toHaveLength(1);
    expect(report.warnings[0]).toMatch(/^lambda\.idle is not used by any function/);
  });

  test("refuses a captured hyperparameter, a scalar too", async () => {
    const captured = np.array(3);
    const closed = problemOf({
      inner: (w: np.Array, l: { used: np.Array }) => square(w, l.used).mul(captured),
      outer: (w: np.Array) => np.sum(np.square(w)),
    });
    const evaluation = hypergradient(closed, {
      rule,
      lambda: { used: tensor([1, 2]), idle: captured },
      w: tensor([0, 0]),
      data,
    });
    await expect(evaluation).rejects.toThrow(/it reads lambda\.idle from its closure/);
  });

  test("says when the inner problem diverges or overflows", async () => {
    const problem = problemOf({ inner: square, outer: (w: np.Array) => np.sum(np.square(w)) });
    const at = { lambda: tensor([1, 2]), w: tensor([0, 0]), data };
    const dynamics = gradientDescent({ learningRate: 3 });
    const wild = await hypergradient(problem, { rule: reverse({ steps: 8, dynamics }), ...at });
    expect(wild.report.status).toBe("diverged");
    expect(wild.report.sentence).toMatch(/^The inner problem diverges: .*lower the inner learning/);
    const worse = await hypergradient(problem, { rule: reverse({ steps: 200, dynamics }), ...at });
    expect(worse.report.status).toBe("non-finite");
    expect(worse.report.nonFinite).toEqual({ value: true, gradient: true, w: true });
    expect(worse.report.sentence).toContain("the follower's weights, the outer objective");
  });

  test("measures the inner gradient at both ends", async () => {
    const problem = problemOf({ inner: square, outer: (w: np.Array) => np.sum(np.square(w)) });
    const { report } = await hypergradient(problem, {
      rule,
      lambda: f64([3, 4]),
      w: f64([0, 0]),
      data,
    });
    // ∇L = 2(w − λ) shrinks by 1 − 2·0.1 a step.
    expect(report.initialInnerGradientNorm).toBeCloseTo(10, 12);
    expect(report.innerGradientNorm).toBeCloseTo(10 * 0.8 ** 6, 12);
    expect(report.relativeInnerGradientNorm).toBeCloseTo(0.8 ** 6, 12);
    expect(report.steps).toBe(6);
  });
});

describe("a learning rate that is a hyperparameter", () => {
  test("its hypergradient is exact", async () => {
    const c = logisticTrees();
    const lambda = { ...(c.lambda as Record<string, Tree<Tensor>>), rate: f64(-1.2) };
    for (const dynamics of [
      gradientDescent({ learningRate: (l: { rate: np.Array }) => np.exp(l.rate) }),
      momentum({
        learningRate: (l: { rate: np.Array }, t) => np.exp(l.rate).div(t.add(1)),
        momentum: (l: { rate: np.Array }) => np.reciprocal(np.exp(l.rate.neg()).add(1)),
      }),
      adam({ learningRate: (l: { rate: np.Array }) => np.exp(l.rate), epsilon: 1e-3 }),
    ]) {
      const check = await checkHypergradient(c.problem, {
        rule: reverse({ steps: 7, dynamics }),
        lambda,
        w: c.w,
        data: c.data,
      });
      expect(check.passed, check.sentence).toBe(true);
      const own = check.table.find(({ name }) => name === "lambda.rate")!;
      expect(Math.abs(own.analytic)).toBeGreaterThan(1e-4);
    }
    await disposePrograms(c.problem);
  });
});

describe("adam", () => {
  test("no NaN where a gradient component is exactly 0 from the first step on", async () => {
    // The second weight's gradient is 0 at its start and stays so; the first one's is not.
    const problem = problemOf({
      inner: (w: np.Array, l: np.Array) => square(w, np.concatenate([l, np.zerosLike(l)])),
      outer: (w: np.Array) => np.sum(np.square(w)),
    });
    const result = await hypergradient(problem, {
      rule: reverse({ steps: 3, dynamics: adam({ learningRate: 0.1 }) }),
      lambda: f64([1]),
      w: f64([0, 0]),
      data: { inner: f64([0]), outer: f64([0]) },
    });
    expect(result.report.nonFinite).toEqual({ value: false, gradient: false, w: false });
    expect(flat(result.w)[1]).toBe(0);
    expect(Math.abs(flat(result.gradient)[0]!)).toBeLessThan(1);
  });
});

describe("first weights that depend on λ", () => {
  test("their hypergradient, alone and through prepared minibatches", async () => {
    const problem = problemOf({
      prepare: (l: { scale: np.Array }, d: { x: np.Array; y: np.Array }) => ({
        ...d,
        x: np.tanh(d.x.mul(l.scale)),
      }),
      init: (l: { first: np.Array }, d: { x: np.Array }) => l.first.add(np.mean(d.x, 0).mul(0.3)),
      inner: (w: np.Array, _l: unknown, d: { x: np.Array; y: np.Array }) =>
        np.mean(np.square(np.matmul(d.x, w).sub(d.y))),
      outer: (w: np.Array, _l: unknown, d: { x: np.Array; y: np.Array }) =>
        np.mean(np.square(np.matmul(d.x, w).sub(d.y))),
    });
    const lambda = { scale: f64([0.5, 1.5]), first: f64([0.2, -0.4]) };
    const outer = { x: f64(sequence(8, 1, 1), [4, 2]), y: f64(sequence(4, 2, 1)) };
    const stacked = { x: f64(sequence(36, 3, 1), [6, 3, 2]), y: f64(sequence(18, 4, 1), [6, 3]) };
    for (const checkpoints of [undefined, 4] as const) {
      const rule = reverse({
        steps: 6,
        dynamics: momentum({ learningRate: 0.1, momentum: 0.5 }),
        ...(checkpoints && { checkpoints }),
      });
      const options = { rule, lambda, data: { inner: stacked, outer }, batched: true };
      const batched = await checkHypergradient(problem, options);
      expect(batched.passed, batched.sentence).toBe(true);
      const fixed = await checkHypergradient(problem, {
        rule,
        lambda,
        data: { inner: outer, outer },
      });
      expect(fixed.passed, fixed.sentence).toBe(true);
    }
  });
});

describe("minibatches", () => {
  const c = representation();
  const { x, y } = c.data.inner as { x: Tensor; y: Tensor };
  const repeat = (t: Tensor, times: number): Tensor =>
    f64(
      Float64Array.from({ length: times * t.size }, (_, i) => t.data[i % t.size]!),
      [times, ...t.shape],
    );
  afterAll(() => disposePrograms(c.problem));

  test("the same batch at every step is the same as constant data", async () => {
    for (const checkpoints of [undefined, "sqrt", 4] as const) {
      const rule = reverse({
        steps: 10,
        dynamics: gradientDescent({ learningRate: 0.02 }),
        ...(checkpoints && { checkpoints }),
      });
      const at = { rule, lambda: c.lambda, w: c.w };
      const whole = await hypergradient(c.problem, { ...at, data: c.data });
      const inner = { x: repeat(x, 10), y: repeat(y, 10) };
      const data = { inner, outer: c.data.outer };
      const batched = await hypergradient(c.problem, { ...at, data, batched: true });
      flat(whole.gradient).forEach((v, i) => {
        expect(Math.abs(v - flat(batched.gradient)[i]!)).toBeLessThan(1e-12);
      });
      expect(batched.report.innerGradientNorm).toBeCloseTo(whole.report.innerGradientNorm, 12);
    }
  });

  test("different batches agree with central differences, integer leaves pass through", async () => {
    const problem = problemOf({
      prepare: (l: np.Array, d: { x: np.Array; rows: np.Array }) => ({
        ...d,
        x: np.matmul(d.x, l),
      }),
      inner: (w: np.Array, _l: np.Array, d: { x: np.Array; rows: np.Array }) =>
        np
          .mean(np.square(np.matmul(d.x, w).sub(d.rows.astype(d.x.dtype))))
          .add(np.sum(np.square(w)).mul(0.1)),
      outer: (w: np.Array, _l: np.Array, d: { x: np.Array; rows: np.Array }) =>
        np.mean(np.square(np.matmul(d.x, w).sub(d.rows.astype(d.x.dtype)))),
    });
    const steps = 5;
    const rows = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => (i * i) % 4);
    const data = {
      inner: {
        x: f64(sequence(steps * 12, 3, 1), [steps, 3, 4]),
        rows: tensor(rows(steps * 3), { shape: [steps, 3] }),
      },
      outer: { x: f64(sequence(20, 5, 1), [5, 4]), rows: tensor(rows(5)) },
    };
    const check = await checkHypergradient(problem, {
      rule: reverse({ steps, dynamics: gradientDescent({ learningRate: 0.1 }), checkpoints: 2 }),
      lambda: f64(sequence(8, 2, 1), [4, 2]),
      w: f64([0.1, -0.2]),
      data,
      batched: true,
    });
    expect(check.passed, check.sentence).toBe(true);
  });
});

describe("tasks that share only λ", () => {
  test("the average of their hypergradients is the hypergradient of the average", async () => {
    const tasks = [1, 2, 3].map((seed) => ({
      target: f64(sequence(2, seed, 1)),
      judge: f64(sequence(2, seed + 7, 1)),
    }));
    const inner = (w: np.Array, l: np.Array, d: np.Array): np.Array =>
      np.sum(np.square(w.sub(d))).add(np.sum(np.exp(l).mul(np.square(w))));
    const outer = (w: np.Array, _l: np.Array, d: np.Array): np.Array => np.sum(np.square(w.sub(d)));
    const single = problemOf({ inner, outer });
    const all = problemOf({
      inner: (w: np.Array[], l: np.Array, d: np.Array[]) =>
        w.map((task, j) => inner(task, l, d[j]!)).reduce((sum, x) => sum.add(x)),
      outer: (w: np.Array[], l: np.Array, d: np.Array[]) =>
        w
          .map((task, j) => outer(task, l, d[j]!))
          .reduce((sum, x) => sum.add(x))
          .div(3),
    });
    const lambda = f64([-0.5, 0.3]);
    const w = f64([0, 0]);
    const separate = await Promise.all(
      tasks.map(({ target, judge }) =>
        hypergradient(single, { rule, lambda, w, data: { inner: target, outer: judge } }),
      ),
    );
    const together = await hypergradient(all, {
      rule,
      lambda,
      w: tasks.map(() => w),
      data: { inner: tasks.map((t) => t.target), outer: tasks.map((t) => t.judge) },
    });
    flat(together.gradient).forEach((v, i) => {
      const mean = separate.reduce((sum, { gradient }) => sum + flat(gradient)[i]!, 0) / 3;
      expect(Math.abs(v - mean)).toBeLessThan(1e-13);
    });
  });
});

test("a second evaluation reuses the compiled program until it is disposed of", async () => {
  const { problem, lambda, w, data } = planeQuadratic;
  const slow = reverse({ steps: 3, dynamics: gradientDescent({ learningRate: 0.1 }) });
  const traces = { count: 0 };
  const counted = problemOf({
    ...problem,
    inner: (...args: Parameters<typeof problem.inner>) => {
      traces.count++;
      return problem.inner(...args);
    },
  });
  const first = await hypergradient(counted, { rule: slow, lambda, w, data });
  const afterFirst = traces.count;
  const second = await hypergradient(counted, { rule: slow, lambda, w, data });
  expect(traces.count).toBe(afterFirst);
  expect(flat(second.gradient)).toEqual(flat(first.gradient));
  await disposePrograms(counted, slow);
  await hypergradient(counted, { rule: slow, lambda, w, data });
  expect(traces.count).toBeGreaterThan(afterFirst);
});

test("the result has the trees of the problem's λ and w, in types and in fact", async () => {
  const problem = bilevel({
    inner: (w: { task: np.Array[] }, l: { center: np.Array }, _d: np.Array) =>
      square(w.task[0]!, l.center),
    outer: (w: { task: np.Array[] }, l: { center: np.Array }, d: np.Array) =>
      np.sum(np.square(w.task[0]!.sub(d))).add(np.sum(l.center)),
  });
  const result = await hypergradient(problem, {
    rule,
    lambda: { center: f64([1, 2]) },
    w: { task: [f64([0, 0])] },
    data: { inner: f64(0), outer: f64([3, 3]) },
  });
  const center: Tensor = result.gradient.center;
  const first: Tensor = result.w.task[0]!;
  // w_T = (1 − 0.8⁶)·λ, dF/dλ = 2·(w_T − 3)·(1 − 0.8⁶) + 1.
  const shrink = 1 - 0.8 ** 6;
  flat(first).forEach((v, i) => expect(v).toBeCloseTo(shrink * (i + 1), 14));
  flat(center).forEach((v, i) =>
    expect(v).toBeCloseTo(2 * (shrink * (i + 1) - 3) * shrink + 1, 13),
  );
  await disposePrograms(problem);
});
