/** The minimizers of the T-step problem approach those of the exact problem at the rate the curvature predicts. */
import { describe, expect, test } from "vitest";
import { representationCase, ridgeCase } from "../../bench/convergence/cases.ts";
import { fittedSlope, studyConvergence } from "../../bench/convergence/study.ts";

/** |fitted / predicted − 1| */
const off = (fitted: number | undefined, predicted: number): number =>
  Math.abs(fitted! / predicted - 1);

describe("minimizers of F_T against those of F", () => {
  test("P3: λ_T and the hypergradient, slopes within 5 %", async () => {
    const c = ridgeCase();
    const { exact, rows, atStart, atMinimizer } = await studyConvergence(c);
    // w = 4.85/8.5 and e^λ = 11/w − 14 in closed form.
    expect(exact.x[0]).toBeCloseTo(Math.log((11 * 8.5) / 4.85 - 14), 12);
    expect(exact.value).toBeCloseTo((0.9 ** 2 + 1.4 ** 2 - 4.85 ** 2 / 8.5) / 2, 14);
    expect(atMinimizer.smallest).toBeCloseTo(14 + 5.278350515, 7);
    const from = c.fitFrom;
    const { predicted } = atMinimizer;
    expect(off(fittedSlope(rows, "minimizer", { from, power: 0 }), predicted)).toBeLessThan(0.05);
    expect(off(fittedSlope(rows, "regret", { from, power: 0 }), 2 * predicted)).toBeLessThan(0.05);
    const gradient = fittedSlope(rows, "gradient", { from, power: 1 });
    expect(off(gradient, atStart.predicted)).toBeLessThan(0.05);
    // w_T(λ_T) is the best weight itself, whatever T.
    for (const { value } of rows) expect(value).toBeLessThan(1e-15);
  });

  test("P4: λ_T and its value, slopes within 5 %", async () => {
    const all = representationCase();
    const c = { ...all, steps: all.steps.filter((steps) => steps >= 256) };
    const { exact, rows, atMinimizer } = await studyConvergence(c);
    expect(exact.gradientNorm).toBeLessThan(1e-12);
    const from = c.fitFrom;
    const { predicted } = atMinimizer;
    expect(off(fittedSlope(rows, "minimizer", { from, power: 1 }), predicted)).toBeLessThan(0.05);
    expect(off(fittedSlope(rows, "value", { from, power: 0 }), predicted)).toBeLessThan(0.05);
    const errors = rows.map(({ minimizer }) => minimizer);
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
  });
});
