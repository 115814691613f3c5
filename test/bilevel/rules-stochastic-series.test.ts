/** Rules that draw a random term of the inverse Hessian's series: its mean, its seed, and what momentum makes of it. */
import { afterAll, describe, expect, test } from "vitest";
import {
  disposePrograms,
  gradientDescent,
  hypergradient,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { stocBio, sustain, ttsa } from "../../src/bilevel/rules/index.ts";
import { leavesOf } from "./descend.ts";
import { f64, planeQuadratic } from "./problems.ts";

afterAll(() => disposePrograms(planeQuadratic.problem as Problem));
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("random terms of the series", () => {
  const { problem, data } = planeQuadratic;
  const still = 1e-300;
  const length = 6;
  const point = { lambda: f64([1, 1]), w: f64([0.4, -0.3]), data };

  /** The directions and exponents of every step while nothing moves. */
  async function draw(rule: Rule, steps: number): Promise<{ h: number[]; p: number }[]> {
    const run = solve(problem as Problem, {
      ...point,
      rule,
      optimizer: gradientDescent({ learningRate: still }),
      budget: { steps },
      innerValue: false,
    });
    const draws: { h: number[]; p: number }[] = [];
    for await (const { gradient, report } of run) {
      draws.push({ h: leavesOf(gradient), p: report.measured.exponent! });
    }
    return draws;
  }

  test("their mean is the truncated series, and p is uniform", async () => {
    const rule = ttsa({ learningRate: still, seriesStep: 0.2, terms: length, seed: 11 });
    const draws = await draw(rule, 1200);
    const series = stocBio({
      learningRate: still,
      steps: 1,
      products: length - 1,
      seriesStep: 0.2,
    });
    const expected = leavesOf((await hypergradient(problem, { rule: series, ...point })).gradient);

    const byExponent = range(length).map((p) => draws.filter((draw) => draw.p === p));
    expect(byExponent.flat().length).toBe(draws.length);
    const share = draws.length / length;
    for (const group of byExponent) {
      // Five standard deviations of a binomial count.
      expect(Math.abs(group.length - share)).toBeLessThan(5 * Math.sqrt(share * (1 - 1 / length)));
      for (const { h } of group) expect(h).toEqual(group[0]!.h);
    }
    for (const i of [0, 1]) {
      // Over p exactly, and over the draws as their spread allows.
      const values = byExponent.map((group) => group[0]!.h[i]!);
      const mean = values.reduce((sum, x) => sum + x, 0) / length;
      expect(mean).toBeCloseTo(expected[i]!, 14);
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / length);
      expect(deviation).toBeGreaterThan(0.01);
      const sampled = draws.reduce((sum, { h }) => sum + h[i]!, 0) / draws.length;
      expect(Math.abs(sampled - mean)).toBeLessThan((4 * deviation) / Math.sqrt(draws.length));
    }
  });

  test("the draws are the seed's", async () => {
    const exponents = async (seed: number): Promise<number[]> =>
      (await draw(ttsa({ terms: 100, seed }), 8)).map(({ p }) => p);
    expect(await exponents(4)).toEqual(await exponents(4));
    expect(await exponents(4)).not.toEqual(await exponents(5));
  });

  test("sustain averages ttsa's directions, old and new point with the same p", async () => {
    const common = { learningRate: still, seriesStep: 0.2, terms: length, seed: 2 };
    const plain = await draw(ttsa(common), 12);
    const momentum = 0.4;
    const recycled = await draw(sustain({ ...common, momentum }), 12);
    let average = plain[0]!.h;
    for (const [k, { h }] of recycled.entries()) {
      if (k > 0) average = average.map((a, i) => momentum * plain[k]!.h[i]! + (1 - momentum) * a);
      for (const i of [0, 1]) expect(h[i]).toBeCloseTo(average[i]!, 14);
    }
    expect(new Set(plain.map(({ p }) => p)).size).toBeGreaterThan(2);
  });
});
