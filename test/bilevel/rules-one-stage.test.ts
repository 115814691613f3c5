/** The one-stage rule and the greedy sum against numbers worked out by hand, truncation, and their biased fixed point. */
import { afterEach, describe, expect, test } from "vitest";
import { adam, disposePrograms, gradientDescent, momentum } from "../../src/bilevel/index.ts";
import { darts, oneStage, reverse, truncated } from "../../src/bilevel/rules/index.ts";
import { evaluate, expectClose } from "./evaluate.ts";
import { allCases, f64, scalarQuadratic } from "./problems.ts";

const cases = allCases();
// Each problem with a method whose memory is differentiated through as well.
const rows = cases.map((c, i) => ({
  c,
  label: c.name,
  dynamics:
    i % 2 === 0
      ? momentum({ learningRate: c.learningRate / 2, momentum: 0.6 })
      : adam({ learningRate: c.learningRate / 2, epsilon: 1e-3 }),
}));
afterEach(async () => {
  for (const { problem } of cases) await disposePrograms(problem);
});

describe("one-stage", () => {
  test("P1: −0.02890625", async () => {
    const dynamics = gradientDescent({ learningRate: 0.25 });
    const { gradient } = await evaluate(scalarQuadratic, oneStage({ steps: 5, dynamics }));
    expectClose(gradient, [-0.02890625], 1e-16);
  });

  test("P1: the greedy sum is ρx + s·Σ γ^{T−t}(y_t − c)", async () => {
    const dynamics = gradientDescent({ learningRate: 0.25 });
    for (const discount of [0.3, 0.9, 1]) {
      let expected = 0.1;
      for (let t = 1; t <= 5; t++) {
        expected += 0.25 * discount ** (5 - t) * (0.5 * (1 - 0.5 ** t) - 1);
      }
      const rule = oneStage({ steps: 5, dynamics, discount });
      expectClose((await evaluate(scalarQuadratic, rule)).gradient, [expected], 1e-15);
    }
  });

  test("P1 from the follower's solution: its fixed point has s in the place of 1/a", async () => {
    // ρx + s(x/a − c) = 0 at x = s·c/(ρ + s/a) = 0.25/0.225, where the exact one vanishes at 10/7.
    const x = 0.25 / 0.225;
    const c = { ...scalarQuadratic, lambda: f64(x), w: f64(x / 2) };
    const dynamics = gradientDescent({ learningRate: 0.25 });
    expectClose((await evaluate(c, oneStage({ steps: 1, dynamics }))).gradient, [0], 1e-15);
    const exact = (await evaluate(c, reverse({ steps: 80, dynamics }))).gradient;
    expectClose(exact, [0.1 * x + 0.5 * (x / 2 - 1)], 1e-14);
    expect(Math.abs(exact[0]!)).toBeGreaterThan(0.1);
  });

  describe.each(rows)("$label, $dynamics.name", ({ c, dynamics }) => {
    test("it is truncation to one step", async () => {
      for (const steps of [1, 7]) {
        const expected = await evaluate(c, truncated({ steps, keep: 1, dynamics }));
        const one = await evaluate(c, oneStage({ steps, dynamics }));
        expectClose(one.gradient, expected.gradient, 1e-15);
        expect(one.report.sentence).toContain("biased: it takes the weights before the last step");
      }
    });

    test("the greedy sum is the discounted sum of single stages", async () => {
      const dynamics = gradientDescent({ learningRate: c.learningRate });
      const discount = 0.7;
      const steps = 3;
      const expected = (await evaluate(c, oneStage({ steps, dynamics }))).gradient;
      for (let t = 1; t < steps; t++) {
        const stage = await evaluate(c, oneStage({ steps: t, dynamics }));
        // First-order DARTS is ∇_λ E alone.
        const alone = await evaluate(c, darts({ learningRate: 1, order: 1 }), stage.w);
        stage.gradient.forEach((v, i) => {
          expected[i]! += discount ** (steps - t) * (v - alone.gradient[i]!);
        });
      }
      const sum = await evaluate(c, oneStage({ steps, dynamics, discount }));
      expectClose(sum.gradient, expected, 1e-14);
    });
  });

  test("the counts: T inner gradients, no Hessian product, one state", async () => {
    const dynamics = momentum({ learningRate: 0.1, momentum: 0.5 });
    const one = await evaluate(cases[4]!, oneStage({ steps: 9, dynamics }));
    const counts = {
      innerGradients: 9,
      hessianVectorProducts: 0,
      crossProducts: 1,
      storedFloats: 12,
      reportGradients: 2,
    };
    expect(one.report.cost).toEqual(counts);
    const sum = await evaluate(cases[4]!, oneStage({ steps: 9, dynamics, discount: 0.5 }));
    expect(sum.report.cost).toEqual({ ...counts, crossProducts: 9 });
  });
});
