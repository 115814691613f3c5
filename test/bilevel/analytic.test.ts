/** The reverse rule against problems whose answers are known in closed form. */
import { afterAll, describe, expect, test } from "vitest";
import {
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  type Hypergradient,
  type Rule,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import * as dense from "./dense.ts";
import {
  f64,
  logRidge,
  planeQuadratic,
  representation,
  scalarQuadratic,
  type Case,
} from "./problems.ts";

afterAll(async () => {
  for (const c of [scalarQuadratic, planeQuadratic, logRidge]) await disposePrograms(c.problem);
});

type Result = Hypergradient<Tensor, Tensor>;

const evaluate = (c: Case, rule: Rule, lambda = c.lambda): Promise<Result> =>
  hypergradient(c.problem, { rule, lambda, w: c.w, data: c.data }) as Promise<Result>;

function expectClose(actual: unknown, expected: readonly number[], tolerance = 1e-9): void {
  const { data } = actual as Tensor;
  expect(data.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(data[i]! - value), `[${i}] ${data[i]} against ${value}`).toBeLessThanOrEqual(
      tolerance,
    );
  }
}

describe("P1, scalar quadratic", () => {
  test("five steps of gradient descent, exact in binary", async () => {
    const rule = reverse({ steps: 5, dynamics: gradientDescent({ learningRate: 0.25 }) });
    const { value, gradient, w, report } = await evaluate(scalarQuadratic, rule);
    expectClose(w, [0.484375], 1e-15);
    expectClose(gradient, [-0.149755859375], 1e-15);
    expectClose(value, [0.5 * (0.484375 - 1) ** 2 + 0.05], 1e-15);
    // ∇L = a·y − x at y_T and at 0.
    expect(report.innerGradientNorm).toBeCloseTo(1 - 2 * 0.484375, 14);
    expect(report.initialInnerGradientNorm).toBe(1);
    expect(report.status).toBe("max-steps");
  });

  test("many steps reach the implicit gradient −0.15 and say that the inner problem is solved", async () => {
    const rule = reverse({ steps: 60, dynamics: gradientDescent({ learningRate: 0.25 }) });
    const { gradient, w, report } = await evaluate(scalarQuadratic, rule);
    expectClose(w, [0.5], 1e-14);
    expectClose(gradient, [-0.15], 1e-14);
    expect(report.status).toBe("converged");
  });

  test("the hypergradient vanishes at x* = 10/7", async () => {
    const rule = reverse({ steps: 60, dynamics: gradientDescent({ learningRate: 0.25 }) });
    const { gradient } = await evaluate(scalarQuadratic, rule, f64(10 / 7));
    expectClose(gradient, [0], 1e-14);
  });
});

describe("P2, two-dimensional quadratic", () => {
  test("twenty steps of gradient descent", async () => {
    const rule = reverse({ steps: 20, dynamics: gradientDescent({ learningRate: 0.3 }) });
    const { gradient, w } = await evaluate(planeQuadratic, rule);
    expectClose(w, [0.5721666735, 0.7125037774], 1e-9);
    expectClose(gradient, [-0.6300796413, 1.8054530803], 1e-9);
  });

  test("twenty steps of heavy ball", async () => {
    const dynamics = momentum({ learningRate: 0.3, momentum: 0.5 });
    const { gradient, w } = await evaluate(planeQuadratic, reverse({ steps: 20, dynamics }));
    expectClose(w, [0.570538392, 0.7143701052], 1e-9);
    expectClose(gradient, [-0.6361342098, 1.8158046269], 1e-9);
  });

  test("the exact hypergradient in the limit, and zero at the optimum", async () => {
    const rule = reverse({ steps: 200, dynamics: gradientDescent({ learningRate: 0.3 }) });
    const { gradient, w } = await evaluate(planeQuadratic, rule);
    expectClose(w, [0.5714285714, 0.7142857143], 1e-9);
    expectClose(gradient, [-0.6346938776, 1.8142857143], 1e-9);
    const best = await evaluate(planeQuadratic, rule, f64([1.3766566909, -0.5515177426]));
    expectClose(best.gradient, [0, 0], 1e-9);
    expectClose(best.value, [0.1342454040188], 1e-12);
  });
});

describe("P3, ridge with log-regularizer", () => {
  const rule = reverse({ steps: 200, dynamics: gradientDescent({ learningRate: 0.05 }) });

  test("value and hypergradient at λ = 0", async () => {
    const { value, gradient, w } = await evaluate(logRidge, rule);
    expectClose(w, [11 / 15], 1e-12);
    expectClose(value, [0.1138888889], 1e-9);
    expectClose(gradient, [-0.0676296296], 1e-9);
  });

  test("stationary at e^λ = 5.278350515", async () => {
    const { value, gradient, w } = await evaluate(logRidge, rule, f64(Math.log(512 / 97)));
    expectClose(w, [4.85 / 8.5], 1e-12);
    expectClose(value, [0.0013235294], 1e-9);
    expectClose(gradient, [0], 1e-12);
  });
});

describe("P4, linear hyper-representation", () => {
  const c = representation();
  const rows = (tensor: unknown): dense.Matrix => (tensor as Tensor).toNested() as dense.Matrix;
  const vector = (tensor: unknown): number[] => [...(tensor as Tensor).data];
  afterAll(() => disposePrograms(c.problem));

  /** dF/dH by the implicit function theorem, written out. */
  function closedForm(): { gradient: dense.Matrix; w: number[]; rate: number } {
    const { x, y } = c.data.inner as { x: Tensor; y: Tensor };
    const valid = c.data.outer as { x: Tensor; y: Tensor };
    const [X, H, Xv] = [rows(x), rows(c.lambda), rows(valid.x)];
    const [Z, Zv] = [dense.multiply(X, H), dense.multiply(Xv, H)];
    const G = dense.add(dense.multiply(dense.transpose(Z), Z), dense.identity(3, c.rho));
    const w = dense.solveDense(G, dense.apply(dense.transpose(Z), vector(y)));
    const r = dense.subtract(dense.apply(Z, w), vector(y));
    const rv = dense.subtract(dense.apply(Zv, w), vector(valid.y));
    const q = dense.solveDense(G, dense.apply(dense.transpose(Zv), rv));
    // E directly: X_vᵀ r_v wᵀ.  Through w: −[Xᵀ r qᵀ + XᵀX H q wᵀ], the derivative of Zᵀ(Zw − y)·q in H.
    const direct = dense.outer(dense.apply(dense.transpose(Xv), rv), w);
    const first = dense.outer(dense.apply(dense.transpose(X), r), q);
    const second = dense.outer(dense.apply(dense.transpose(X), dense.apply(Z, q)), w);
    const gradient = dense.add(dense.add(direct, first, -1), second, -1);
    return { gradient, w, rate: 1 - c.learningRate * dense.smallestEigenvalue(G) };
  }

  const distance = (gradient: unknown): number => {
    const exact = closedForm().gradient.flat();
    return Math.hypot(...dense.subtract(vector(gradient), exact)) / Math.hypot(...exact);
  };

  test("reverse reaches the closed form, through prepare", async () => {
    const { rate, w } = closedForm();
    const steps = Math.ceil(Math.log(1e-14) / Math.log(rate));
    const dynamics = gradientDescent({ learningRate: c.learningRate });
    const result = await evaluate(c, reverse({ steps, dynamics }));
    expectClose(result.w, w, 1e-10);
    expect(distance(result.gradient)).toBeLessThan(1e-9);
  });

  test("the error decays with T at the rate 1 − s·(σ² + ρ), up to the factor T of the recursion", async () => {
    const { rate } = closedForm();
    const dynamics = gradientDescent({ learningRate: c.learningRate });
    const error = async (steps: number): Promise<number> =>
      distance((await evaluate(c, reverse({ steps, dynamics }))).gradient);
    const [first, second] = [200, 260];
    const [e1, e2] = [await error(first), await error(second)];
    // h_T − h = rate^T·(a + b·T): the slope lies between pure decay and decay times T.
    const observed = Math.log(e2 / e1) / (second - first);
    expect(observed).toBeGreaterThan(Math.log(rate) - 1e-3);
    expect(observed).toBeLessThan(
      Math.log(rate) + Math.log(second / first) / (second - first) + 1e-3,
    );
  });
});
