/** Implicit hypergradients against reverse mode after many steps, on random quadratics, and in float32. */
import { numpy as np, tree } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bilevel,
  checkHypergradient,
  gradientDescent,
  momentum,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { implicit, reverse } from "../../src/bilevel/rules/index.ts";
import {
  conjugateGradient,
  conjugateGradientNormal,
  dense,
  fixedPoint,
  minres,
  neumann,
} from "../../src/linear/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import * as matrices from "./dense.ts";
import { evaluate, distance, type Answer } from "./evaluate.ts";
import {
  cleaning,
  f64,
  logisticTrees,
  logRidge,
  planeQuadratic,
  proximalTasks,
  representation,
  scalarQuadratic,
  type Case,
} from "./problems.ts";

const descent = (learningRate: number) => gradientDescent({ learningRate });
const heavyBall = (learningRate: number) => momentum({ learningRate, momentum: 0.5 });

describe("agreement with reverse mode after many steps", () => {
  const cases: [Case, number][] = [
    [scalarQuadratic, 80],
    [planeQuadratic, 200],
    [logRidge, 200],
    [representation(), 900],
    [logisticTrees(), 1500],
    [proximalTasks(), 200],
  ];
  const rows = cases.flatMap(([c, steps]) => [
    {
      c,
      name: "conjugate gradients",
      steps,
      make: () =>
        implicit({ solver: conjugateGradient(), steps, dynamics: descent(c.learningRate) }),
    },
    {
      c,
      name: "Neumann",
      steps,
      make: () =>
        implicit({
          solver: neumann({ maxSteps: 2000, rtol: 1e-12 }),
          steps,
          dynamics: descent(c.learningRate),
        }),
    },
    {
      c,
      name: "fixed point through momentum",
      steps,
      make: () =>
        implicit({
          solver: fixedPoint({ maxSteps: 3000, rtol: 1e-12 }),
          steps,
          dynamics: heavyBall(c.learningRate / 2),
        }),
    },
    {
      c,
      name: "normal equations through momentum",
      steps,
      make: () =>
        implicit({
          solver: conjugateGradientNormal({ maxSteps: 300, rtol: 1e-11 }),
          through: "dynamics",
          steps,
          dynamics: heavyBall(c.learningRate / 2),
        }),
    },
    {
      c,
      name: "LU through momentum",
      steps,
      make: () =>
        implicit({
          solver: dense({ factorization: "lu" }),
          through: "dynamics",
          steps,
          dynamics: heavyBall(c.learningRate / 2),
        }),
    },
  ]);
  const references = new Map<Case, Promise<Answer>>();
  const reference = (c: Case, steps: number): Promise<Answer> => {
    const known = references.get(c);
    if (known) return known;
    const made = evaluate(c, reverse({ steps, dynamics: descent(c.learningRate) }));
    references.set(c, made);
    return made;
  };

  test.each(rows.map((row) => ({ ...row, label: row.c.name })))(
    "$label, $name",
    async ({ c, steps, make }) => {
      const exact = await reference(c, steps);
      const result = await evaluate(c, make());
      const scale = Math.max(1, ...exact.gradient.map(Math.abs));
      expect(distance(result.gradient, exact.gradient) / scale).toBeLessThan(1e-8);
      expect(result.report.status).toBe("converged");
      expect(result.report.sentence).toContain("The linear system is solved");
    },
  );

  test("a singular Hessian whose null space nobody sees is no obstacle to conjugate gradients", async () => {
    // Softmax regression: shifting all classes alike changes neither objective.
    const c = cleaning();
    const exact = await evaluate(c, reverse({ steps: 4000, dynamics: descent(4) }));
    const rule = implicit({
      solver: conjugateGradient({ rtol: 1e-9 }),
      steps: 4000,
      dynamics: descent(4),
    });
    const { gradient, report } = await evaluate(c, rule);
    expect(report.status).toBe("converged");
    expect(distance(gradient, exact.gradient)).toBeLessThan(1e-7);
    const direct = await evaluate(
      c,
      implicit({ solver: dense(), steps: 4000, dynamics: descent(4) }),
    );
    expect(direct.report.status).toBe("singular");
  });

  test("the user's check accepts it once the follower is solved, and refuses it before", async () => {
    const c = logisticTrees();
    const at = { lambda: c.lambda, w: c.w, data: c.data };
    const rule = (steps: number): Rule =>
      implicit({ solver: conjugateGradient(), steps, dynamics: descent(c.learningRate) });
    const solved = await checkHypergradient(c.problem, { rule: rule(1500), ...at });
    expect(solved.passed, solved.sentence).toBe(true);
    expect((await checkHypergradient(c.problem, { rule: rule(3), ...at })).passed).toBe(false);
  });
});

describe("random quadratics", () => {
  const number = fc.double({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true });
  const matrix = (rows: number, columns: number): fc.Arbitrary<matrices.Matrix> =>
    fc.array(fc.array(number, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    });
  const [n, m] = [3, 5];
  interface Weights {
    head: np.Array;
    tail: np.Array[];
  }
  const joined = ({ head, tail }: Weights): np.Array =>
    np.concatenate([head.reshape([1]), ...tail]);
  /** L = ½wᵀGw − wᵀCλ, E = ½‖w − c‖² + ½‖λ‖², with the weights split over a tree. */
  const problem: Problem = bilevel({
    inner: (w: Weights, lambda: np.Array, d: { g: np.Array; c: np.Array }) => {
      const y = joined(w);
      return np
        .dot(y, np.dot(d.g, y))
        .mul(0.5)
        .sub(np.dot(y, np.dot(d.c, lambda)));
    },
    outer: (w: Weights, lambda: np.Array, target: np.Array) =>
      np
        .sum(np.square(joined(w).sub(target)))
        .add(np.sum(np.square(lambda)))
        .mul(0.5),
  });
  // Rules are made once, so that each has one program for all instances.
  const s = 0.15;
  const rules = {
    direct: implicit({ solver: dense(), steps: 400, dynamics: descent(s) }),
    gradients: implicit({
      solver: conjugateGradient({ rtol: 1e-13 }),
      steps: 400,
      dynamics: descent(s),
    }),
    series: implicit({
      solver: neumann({ step: s, maxSteps: 6 }),
      steps: 400,
      dynamics: descent(s),
    }),
    iterated: implicit({ solver: fixedPoint({ maxSteps: 6 }), steps: 400, dynamics: descent(s) }),
  };

  test("direct = conjugate gradients = closed form; Neumann = fixed point", async () => {
    await fc.assert(
      fc.asyncProperty(
        matrix(n, n),
        matrix(n, m),
        matrix(1, m),
        matrix(1, n),
        async (factor, cross, [lambda], [target]) => {
          const g = matrices.add(
            matrices.multiply(factor, matrices.transpose(factor)),
            matrices.identity(n, 0.5),
          );
          const c: Case = {
            name: "quadratic",
            learningRate: s,
            problem,
            lambda: f64(lambda!),
            w: { head: f64(0.1), tail: [f64([0.2, -0.3])] },
            data: { inner: { g: f64(g), c: f64(cross) }, outer: f64(target!) },
          };
          const y = matrices.solveDense(g, matrices.apply(cross, lambda!));
          const q = matrices.solveDense(g, matrices.subtract(y, target!));
          const closed = matrices
            .apply(matrices.transpose(cross), q)
            .map((v, i) => v + lambda![i]!);
          const [direct, gradients, series, iterated] = [
            await evaluate(c, rules.direct),
            await evaluate(c, rules.gradients),
            await evaluate(c, rules.series),
            await evaluate(c, rules.iterated),
          ];
          expect(distance(direct.gradient, closed)).toBeLessThan(1e-10);
          expect(distance(gradients.gradient, closed)).toBeLessThan(1e-9);
          expect(distance(series.gradient, iterated.gradient)).toBeLessThan(1e-13);
        },
      ),
      { numRuns: 25, seed: 11 },
    );
  });
});

describe("float32", () => {
  test.each([
    ["conjugate gradients", conjugateGradient()],
    ["Neumann", neumann({ maxSteps: 400 })],
    ["MINRES", minres()],
    ["Cholesky", dense()],
  ])("%s: within 1e-3 of float64", async (_, solver) => {
    const c = logisticTrees();
    const rule = implicit({ solver, steps: 600, dynamics: descent(c.learningRate) });
    const narrow = (values: Tree<Tensor>): Tree<Tensor> =>
      tree.map((x: Tensor) => tensor(x, { dtype: "float32" }), values as never) as Tree<Tensor>;
    const wide = await evaluate(c, rule);
    const { gradient, report } = await evaluate(
      {
        ...c,
        lambda: narrow(c.lambda),
        w: narrow(c.w),
        data: { inner: narrow(c.data.inner), outer: narrow(c.data.outer) },
      },
      rule,
    );
    expect(report.status).toBe("converged");
    expect(distance(gradient, wide.gradient)).toBeLessThan(1e-3 * Math.hypot(...wide.gradient));
  });
});
