import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { f64 } from "../../../../test/bilevel/small-problems.ts";
import { hypergradient } from "../../evaluate/hypergradient.ts";
import { gradientDescent } from "../../optimizers/gradient-descent.ts";
import { bilevel } from "../../problem.ts";
import { gradientPenalty } from "./gradient-penalty.ts";
import { solve } from "../../solve/solve.ts";

const rule = gradientPenalty({ penalty: 1, steps: 1, learningRate: 1e-9 });
// L = ½ Σ d w², whose Hessian is the diagonal d: the curvature along d·w is Σ d³w² / Σ d²w².
const problem = bilevel({
  inner: (w: np.Array, _l: np.Array, d: np.Array) => np.sum(np.square(w).mul(d)).mul(0.5),
  outer: (w: np.Array, l: np.Array) => np.sum(np.square(w)).add(np.square(l)),
});

test.each([
  { d: [2, 1], curvature: 9 / 5, isFlagged: false },
  // A saddle that its gradient sees as a minimum, and one that it does not.
  { d: [2, -1], curvature: 7 / 5, isFlagged: false },
  { d: [1, -2], curvature: -7 / 5, isFlagged: true },
  { d: [-1, 1], curvature: 0, isFlagged: false },
  { d: [0, 0], curvature: NaN, isFlagged: false },
])("the Hessian $d: $curvature along its gradient", async ({ d, curvature, isFlagged }) => {
  const place = { lambda: f64(1), w: f64([1, 1]), data: { inner: f64(d), outer: [] } };
  const { report } = await hypergradient(problem, { rule, ...place });
  const found = report.measured["curvatureAlongGradient"]!;
  if (Number.isNaN(curvature)) expect(found).toBeNaN();
  // The follower makes a step of some 1e-9.
  else expect(found).toBeCloseTo(curvature, 7);
  expect(report.status === "singular", report.sentence).toBe(isFlagged);
  expect(report.sentence.includes("curves down along its gradient")).toBe(isFlagged);

  const optimizer = gradientDescent({ learningRate: 0.1 });
  const { warnings } = await solve(problem, { rule, optimizer, ...place, budget: { steps: 1 } });
  expect(warnings.some((sentence) => sentence.startsWith("At the last step: "))).toBe(isFlagged);
});
