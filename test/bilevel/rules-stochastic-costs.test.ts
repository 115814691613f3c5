/** What one outer step of the stochastic rules costs, what a first evaluation says, and which options are refused. */
import { afterAll, describe, expect, test } from "vitest";
import {
  amigo,
  fsla,
  mrbo,
  saba,
  soba,
  stocBio,
  sustain,
  ttsa,
} from "../../src/bilevel/rules/index.ts";
import {
  disposePrograms,
  hypergradient,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { leavesOf } from "./descend.ts";
import { f64, planeQuadratic } from "./problems.ts";

const { problem, data } = planeQuadratic;
afterAll(() => disposePrograms(problem as Problem));

describe("what one step costs", () => {
  const costOf = async (rule: Rule): Promise<object> =>
    (await hypergradient(problem, { rule, lambda: f64([1, 1]), w: f64([0, 0]), data })).report.cost;
  const single = {
    innerGradients: 1,
    outerGradients: 1,
    hessianVectorProducts: 1,
    crossProducts: 1,
    reportGradients: 0,
  };

  test("single loop: one product of each kind", async () => {
    expect(await costOf(soba())).toEqual({ ...single, storedFloats: 2 });
    expect(await costOf(saba())).toEqual({ ...single, storedFloats: 2 + 6 + 4 });
    expect(await costOf(fsla())).toEqual({
      ...single,
      outerGradients: 2,
      crossProducts: 2,
      storedFloats: 2 + 4,
      reportGradients: 1,
    });
  });

  test("several inner steps", async () => {
    const nested = { innerGradients: 4, crossProducts: 1, reportGradients: 2 };
    expect(await costOf(amigo({ steps: 4, auxiliarySteps: 7 }))).toEqual({
      ...nested,
      outerGradients: 1,
      hessianVectorProducts: 7,
      storedFloats: 2,
    });
    const series = { ...nested, storedFloats: 4 };
    expect(await costOf(stocBio({ steps: 4, products: 6 }))).toEqual({
      ...series,
      hessianVectorProducts: 6,
    });
    expect(await costOf(ttsa({ steps: 4, terms: 6 }))).toEqual({
      ...series,
      hessianVectorProducts: 5,
    });
  });

  test("recycled directions: everything at two points", async () => {
    const twice = {
      innerGradients: 2,
      outerGradients: 2,
      crossProducts: 2,
      reportGradients: 0,
      storedFloats: 12,
    };
    expect(await costOf(mrbo({ products: 6 }))).toEqual({ ...twice, hessianVectorProducts: 12 });
    expect(await costOf(sustain({ terms: 6 }))).toEqual({ ...twice, hessianVectorProducts: 10 });
  });
});

test("a first evaluation says that it is no hypergradient yet", async () => {
  const at = { lambda: f64([1, 1]), w: f64([0, 0]), data };
  const { report, gradient } = await hypergradient(problem, { rule: soba(), ...at });
  // v = 0: h = ∇_λE, and the residual is ‖∇_wE‖ = ‖c‖.
  expect(leavesOf(gradient)).toEqual([0.1, 0.1]);
  expect(report.measured.auxiliaryResidual).toBeCloseTo(Math.SQRT2, 14);
  expect(report.status).toBe("max-steps");
  expect(report.sentence).toContain(
    "exact only where the gradient norm and the auxiliary residual",
  );
});

test("options that cannot work are refused", () => {
  expect(() => soba({ learningRate: 0 })).toThrow(
    "soba: learningRate must be a finite number > 0, or a schedule; 0 came.",
  );
  expect(() => amigo({ auxiliarySteps: 0 })).toThrow("auxiliarySteps must be a whole number >= 1");
  expect(() => fsla({ momentum: 1.5 })).toThrow("must be a finite number > 0 and <= 1");
  expect(() => stocBio({ seriesStep: -1 })).toThrow("stocBio: seriesStep must be");
  expect(() => ttsa({ seed: -1 })).toThrow("ttsa: seed must be a whole number from 0 to 2^32 - 1");
  expect(() => saba({ batches: { inner: 0 } })).toThrow("saba: batches.inner must be");
});
