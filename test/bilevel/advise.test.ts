/** The adviser on the problems of the matrices: what it recommends first is right there. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  checkHypergradient,
  gradientDescent,
  hypergradient,
  type Problem,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { columns } from "../matrix/problems.ts";
import { failsOn, isRightOn } from "../matrix/rules.ts";
import { adviceFor, disposeAdvised, type Place } from "./advice.ts";
import { descend, expectAll, leavesOf } from "./descend.ts";
import { distance } from "./evaluate.ts";
import { allCases, cleaning, f64, proximalTasks, sequence } from "./problems.ts";
import { equal, merelyConvex, noData, stronglyConvex } from "./problems-without-unique-answer.ts";

afterAll(disposeAdvised);

describe("the matrix", () => {
  // The adviser is told of constraints as projections of the weights, which the moving one is not. Where other dynamics
  // move the follower it is the problem of another column, and rules without dynamics have no cell there.
  const told = columns.filter(
    ({ constraints, moved }) => (!constraints || constraints.projection) && moved === undefined,
  );

  test.each(told)("$name: no rule that fails there is recommended", async (column) => {
    const { name, problem, rate, steps, lacks, constraints } = column;
    const projection = constraints?.projection;
    const options = { rate, steps, ...(projection && { projection }) };
    const { ranking } = await adviceFor(problem, column, options);
    const factories = ranking.map(({ factory }) => factory);
    expect(factories.length).toBeGreaterThan(0);
    expect(factories.filter((factory) => failsOn(factory, name))).toEqual([]);
    if (lacks.length > 0) return;
    expect(factories.filter((factory) => !isRightOn(factory, name))).toEqual([]);
  });
});

describe("a unique solution", () => {
  const cases = [...allCases(), proximalTasks()].filter(({ name }) => name !== cleaning().name);

  test.each(cases.map((c) => ({ c, name: c.name })))(
    "$name, solved: the first rule gives the derivative of the solution",
    async ({ c }) => {
      const advice = await adviceFor(c.problem, c, { steps: 400, rate: c.learningRate });
      expect(advice.innerSolutions, advice.sentence).toBe("unique");
      expect(advice.isSolved).toBe(true);
      expect(advice.measured.contraction).toBeLessThan(1);
      const { lambda, w, data } = c;
      const at = { lambda, w, data };
      const dynamics = gradientDescent({ learningRate: c.learningRate });
      const exact = await hypergradient(c.problem, {
        rule: reverse({ steps: 3000, dynamics }),
        ...at,
      });
      const found = await hypergradient(c.problem, { rule: advice.ranking[0]!.rule, ...at });
      const [a, b] = [leavesOf(found.gradient), leavesOf(exact.gradient)];
      expect(distance(a, b)).toBeLessThan(1e-4 * Math.hypot(...b));
      expect(found.report.cost).toEqual(advice.ranking[0]!.cost);
    },
  );

  test.each(cases.map((c) => ({ c, name: c.name })))(
    "$name, not solved: the first rule is exact for the steps, and implicit is ruled out",
    async ({ c }) => {
      const advice = await adviceFor(c.problem, c, { steps: 2, rate: c.learningRate / 8 });
      expect(advice.isSolved).toBe(false);
      expect(advice.ruledOut.map(({ factory }) => factory)).toContain("implicit");
      expect(advice.ranking[0]!.caution).toContain("make more of them");
      const { lambda, w, data } = c;
      const check = await checkHypergradient(c.problem, {
        rule: advice.ranking[0]!.rule,
        lambda,
        w,
        data,
      });
      expect(check.passed, check.sentence).toBe(true);
    },
  );

  test("P5", async () => {
    const place = { lambda: equal(20, 0.5), w: equal(20, 2), data: noData };
    const advice = await adviceFor(stronglyConvex as Problem, place, { steps: 60, rate: 0.5 });
    const { gradient } = await hypergradient(stronglyConvex, {
      rule: advice.ranking[0]!.rule,
      ...place,
    });
    // dF/dx = y + x − 1 with y = x = 1/2.
    expectAll(leavesOf(gradient), 0, 1e-6);
  });

  test("three hundred weights, of whose curvatures 32 products show the outer ones", async () => {
    const problem = bilevel({
      inner: (w: np.Array, l: np.Array, d: np.Array) =>
        np.sum(np.square(w).mul(d)).mul(0.5).sub(np.sum(w.mul(l))), // prettier-ignore
      outer: (w: np.Array) => np.sum(np.square(w)),
    }) as Problem;
    const inner = f64(Array.from({ length: 300 }, (_, i) => 0.1 + i / 300));
    const place = { lambda: f64(1), w: equal(300, 0), data: { inner, outer: [] } };
    const advice = await adviceFor(problem, place, { steps: 300, rate: 1 });
    expect(advice.innerSolutions, advice.sentence).toBe("unique");
    expect(advice.measured.atResponse.isExhausted).toBe(false);
    expect(advice.sentence).toContain("the least may be smaller still");
    expect(advice.ranking[0]!.factory).toBe("implicit");
  });
});

describe("no unique solution", () => {
  const p7 = (n: number): Place => ({
    lambda: equal(n, 0.01),
    w: { y1: equal(n, 0.01), y2: equal(n, 0.01) },
    data: noData,
  });

  test("P7 in few bytes: first derivatives alone, and they find it too", async () => {
    const options = { steps: 64, rate: 0.5, bytes: 8 * 6 };
    const advice = await adviceFor(merelyConvex as Problem, p7(3), options);
    expect(advice.ranking[0]!.factory).toBe("valuePenalty");
    const { x } = await descend(merelyConvex as Problem, {
      rule: advice.ranking[0]!.rule,
      rate: 0.02,
      steps: 2200,
      lambda: equal(3, 0.01),
      w: p7(3).w,
    });
    expectAll(x, 1, 1e-3);
  });

  test("softmax regression without regularizer: a flat direction", async () => {
    const c = cleaning();
    const advice = await adviceFor(c.problem, c, { steps: 20, rate: c.learningRate });
    expect(advice.innerSolutions, advice.sentence).toBe("flat");
    const { rule, factory } = advice.ranking[0]!;
    expect(factory).toBe("bda");
    const { problem, lambda, w, data } = c;
    const check = await checkHypergradient(problem, { rule, lambda, w, data });
    expect(check.passed, check.sentence).toBe(true);
  });

  test.each([
    { rows: 60, columns: 100, isExhausted: true },
    { rows: 60, columns: 300, isExhausted: false },
  ])(
    "least squares with $rows rows and $columns columns: a flat direction, unsolved or not",
    async ({ rows, columns, isExhausted }) => {
      const problem = bilevel({
        inner: (w: np.Array, _l: np.Array, d: { x: np.Array; y: np.Array }) =>
          np.sum(np.square(np.matmul(d.x, w).sub(d.y))).mul(0.5),
        outer: (w: np.Array, l: np.Array) => np.sum(np.square(w.sub(l))),
      }) as Problem;
      const d = {
        x: f64(sequence(rows * columns, 5, 0.1), [rows, columns]),
        y: f64(sequence(rows, 6, 1)),
      };
      const place = { lambda: f64(1), w: equal(columns, 0), data: { inner: d, outer: [] } };
      const advice = await adviceFor(problem, place, { steps: 100, rate: 0.1 });
      expect(advice.innerSolutions, advice.sentence).toBe("flat");
      expect(advice.measured.atResponse.isExhausted).toBe(isExhausted);
      expect(advice.ranking[0]!.factory).toBe("bda");
    },
  );
});
