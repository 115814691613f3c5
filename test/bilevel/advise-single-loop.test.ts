/** Single-loop rules in the ranking: below the others with all the data, above them where minibatches are noisy. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  advise,
  disposePrograms,
  fixedBatches,
  gradientDescent,
  hypergradient,
  minibatches,
  powerLaw,
  solve,
  type Advice,
  type BilevelData,
  type Recommendation,
  type Sampler,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import type { Tensor, Tree } from "../../src/program/index.ts";
import { adviceFor, checkAdvice, disposeAdvised, written } from "./advice.ts";
import { leavesOf } from "./descend.ts";
import { distance } from "./evaluate.ts";
import { allCases, cleaning, logRidge, proximalTasks } from "./problems.ts";
import { exactGradient, finiteSum } from "./problems-finite-sum.ts";

const { problem, lambda, w, data } = finiteSum;
const dynamics = gradientDescent({ learningRate: 0.3 });
afterAll(async () => {
  await disposeAdvised();
  await disposePrograms(problem);
});

const STOCHASTIC = ["saba", "soba", "amigo", "mrbo", "stocBio", "sustain", "f2sa"];
const withoutTables = STOCHASTIC.filter((name) => name !== "saba");
const names = (ranking: readonly Recommendation[]): string[] => [
  ...new Set(ranking.map(({ factory }) => factory)),
];

async function adviceOn(
  data: BilevelData<Tree<Tensor> | Sampler>,
  options: { seconds?: number; bytes?: number } = {},
): Promise<Advice> {
  const asked = { lambda, w, data, dynamics, steps: 60, ...options };
  const advice = await advise(problem, asked);
  checkAdvice(advice, asked, problem);
  return advice;
}

describe("all the data at once", () => {
  const cases = [...allCases(), proximalTasks()].filter(({ name }) => name !== cleaning().name);

  test.each(cases.map((c) => ({ c, name: c.name })))(
    "$name: they come last, and with λ at rest they reach the derivative of the solution",
    async ({ c }) => {
      const { lambda, w, data, learningRate } = c;
      const advice = await adviceFor(c.problem, c, { steps: 400, rate: learningRate });
      expect(names(advice.ranking).slice(-3)).toEqual(["soba", "amigo", "f2sa"]);
      const exact = await hypergradient(c.problem, {
        rule: reverse({ steps: 3000, dynamics: gradientDescent({ learningRate }) }),
        lambda,
        w,
        data,
      });
      const b = leavesOf(exact.gradient);
      for (const { factory, rule } of advice.ranking.slice(-3)) {
        const run = solve(c.problem, {
          rule,
          optimizer: gradientDescent({ learningRate: 1e-300 }),
          lambda,
          w,
          data,
          budget: { steps: factory === "soba" ? 1500 : 200 },
          innerValue: false,
        });
        let last: number[] = [];
        for await (const { gradient } of run) last = leavesOf(gradient);
        // f2sa's multiplier leaves about a hundredth.
        const tolerance = factory === "f2sa" ? 0.05 : 1e-4;
        expect(distance(last, b), factory).toBeLessThan(tolerance * Math.hypot(...b));
      }
    },
  );

  test("what is predicted to take longer than the seconds given comes last", async () => {
    const asked = { lambda, w, data, dynamics, steps: 5000 };
    const free = await advise(problem, asked);
    expect(free.ranking[0]!.factory).toBe("implicit");
    // A step of soba takes some 20 inner gradients, the follower's steps 5000.
    const seconds = 300 * free.measured.secondsPerGradient;
    const short = await advise(problem, { ...asked, seconds });
    const slow = short.ranking.map((one) => one.seconds > seconds);
    expect(slow).toEqual([...slow].sort((a, b) => Number(a) - Number(b)));
    expect(short.ranking[0]!.factory).toBe("srba");
    expect(short.ranking.at(-1)!.caution).toContain("more than the");
  });

  test("too much of it: rules that see a batch at a time of a mean, and find the solution", async () => {
    const asked = { lambda, w, data, dynamics, steps: 60 };
    const advice = await advise(problem, { ...asked, seconds: 1e-9 });
    checkAdvice(advice, asked, problem);
    const { ranking, measured } = advice;
    expect(measured.finiteSum).toMatchObject({
      size: { inner: 1, outer: 1 },
      count: { inner: 24, outer: 12 },
    });
    const least = ranking.filter(({ factory }) => factory === "srba" || factory === "vrbo");
    expect(names(least)).toEqual(["srba", "vrbo"]);
    const start = Math.hypot(...exactGradient([1, 1])) ** 2;
    for (const { factory, call, rule } of least) {
      const run = await solve(problem, {
        rule,
        optimizer: gradientDescent({ learningRate: 0.05 }),
        lambda,
        w,
        data,
        budget: { steps: 800 },
        innerValue: false,
      });
      const rest = Math.hypot(...exactGradient(leavesOf(run.lambda))) ** 2;
      // vrbo's series leaves a hundredth, squared.
      expect(rest, call).toBeLessThan((factory === "srba" ? 1e-10 : 1e-3) * start);
    }
    expect(least[0]!.seconds).toBeLessThan(ranking.find((r) => r.factory === "soba")!.seconds);
  });

  test("a sum is no mean, nor is an objective with something for each example", async () => {
    for (const c of [logRidge, cleaning()]) {
      const { lambda, w, data } = c;
      const asked = { lambda, w, data, dynamics, steps: 5, seconds: 1e-9 };
      const { measured, ranking } = await advise(c.problem, asked);
      expect(measured.finiteSum).toBeUndefined();
      expect(names(ranking)).not.toContain("srba");
    }
  });
});

describe("minibatches", () => {
  const drawn = {
    inner: minibatches({ data: data.inner, size: 4 }),
    outer: minibatches({ data: data.outer, size: 3 }),
  };
  const fixed = {
    inner: fixedBatches({ data: data.inner, size: 4 }),
    outer: fixedBatches({ data: data.outer, size: 3 }),
  };

  /** ‖dF/dx‖² in closed form, averaged over the last 401 of 1601 steps. */
  async function rests(
    { factory, rule }: Recommendation,
    data: BilevelData<Sampler>,
  ): Promise<number> {
    const isConstant = factory === "saba";
    const run = solve(problem, {
      rule,
      optimizer: gradientDescent({
        learningRate: isConstant ? 0.05 : powerLaw({ initial: 0.2, power: -1 / 2 }),
      }),
      lambda,
      w,
      data,
      budget: { steps: 1600 },
      innerValue: false,
      seed: 4,
    });
    let sum = 0;
    for await (const { step, lambda } of run) {
      const norm = Math.hypot(...exactGradient(leavesOf(lambda)));
      if (step >= 1200) sum += norm ** 2 / 401;
    }
    return sum;
  }

  let [onDrawn, onFixed]: Promise<Advice>[] = [];
  beforeAll(() => {
    onDrawn = adviceOn(drawn);
    onFixed = adviceOn(fixed);
  });

  test("drawn anew: single-loop rules come first, the others with a warning", async () => {
    const advice = await onDrawn;
    expect(names(advice.ranking)).toEqual([...withoutTables, "reverse", "forward"]);
    expect(advice.ruledOut.map(({ factory }) => factory)).toEqual([
      "implicit",
      "saba",
      "srba",
      "vrbo",
    ]);
    const { noise } = advice.measured;
    expect(noise!.inner!.response.scale).toBeGreaterThan(1);
    expect(noise!.largestCurvature).toBeGreaterThan(advice.measured.anywhere.largest);
    expect(advice.sentence).toContain("On 16 minibatches the noise scale of a gradient");
    for (const one of advice.ranking.filter(({ factory }) => !STOCHASTIC.includes(factory))) {
      expect(one.caution).toContain("the follower never comes to rest");
    }
  });

  test.each(withoutTables)("drawn anew: %s finds the leader's solution", async (name) => {
    const { ranking } = await onDrawn;
    const start = Math.hypot(...exactGradient([1, 1])) ** 2;
    const one = ranking.find(({ factory }) => factory === name)!;
    expect(await rests(one, drawn), one.call).toBeLessThan(0.02 * start);
  });

  test("of a finite sum: tables come first, and converge at constant rates", async () => {
    const [best] = (await onFixed).ranking;
    expect(best!.call).toContain("saba(");
    expect(best!.call).toContain("batches: { inner: 6, outer: 4 }");
    // (1 + 2n + m)·|w| + (n + m)·|λ| numbers of 8 bytes.
    expect(best!.bytes).toBe(8 * ((1 + 2 * 6 + 4) * 2 + (6 + 4) * 2));
    expect(await rests(best!, fixed)).toBeLessThan(1e-12);
  });

  test("of a finite sum, in few bytes", async () => {
    expect((await adviceOn(fixed, { bytes: 100 })).ranking[0]!.factory).toBe("soba");
  });

  test("without noise the follower's steps are differentiated", async () => {
    const whole = {
      inner: minibatches({ data: data.inner, size: 24 }),
      outer: minibatches({ data: data.outer, size: 12 }),
    };
    const advice = await adviceOn(whole);
    expect(advice.measured.noise!.inner!.start.scale).toBeLessThan(1e-20);
    expect(names(advice.ranking)).toEqual(["implicit", "reverse", "forward", ...withoutTables]);
  });

  test("only the outer data are sampled: the follower does come to rest", async () => {
    const advice = await adviceOn({ inner: data.inner, outer: drawn.outer });
    expect(advice.measured.noise!.inner).toBeUndefined();
    expect(advice.measured.noise!.outer!.start.scale).toBeGreaterThan(0);
    expect(advice.ranking[0]!.factory).toBe("implicit");
  });

  test("stacked for each inner step: one of a stack is what a step sees", async () => {
    const stacked = minibatches({ data: data.inner, size: 4, perStep: 60 });
    const advice = await adviceOn({ inner: stacked, outer: drawn.outer });
    expect(advice.ranking[0]!.factory).toBe("soba");
    const outer = minibatches({ data: data.outer, size: 3, perStep: 2 });
    await expect(adviceOn({ inner: data.inner, outer })).rejects.toThrow(
      "advise: the outer sampler must give one batch for each outer step; leave its perStep out.",
    );
  });
});

test("what is printed is what is recommended: the same gradient, bit for bit", async () => {
  const sampled = {
    inner: fixedBatches({ data: data.inner, size: 4 }),
    outer: fixedBatches({ data: data.outer, size: 3 }),
  };
  const { ranking } = await adviceOn(sampled);
  expect(names(ranking)).toEqual([...STOCHASTIC, "reverse", "forward"]);
  const at = { lambda, w, data: { inner: sampled.inner.batch(0), outer: sampled.outer.batch(0) } };
  for (const { call, rule, cost } of ranking) {
    const found = await hypergradient(problem, { rule, ...at });
    const again = await hypergradient(problem, { rule: written(call, { dynamics }), ...at });
    expect(leavesOf(again.gradient), call).toEqual(leavesOf(found.gradient));
    expect(again.report.cost).toEqual(cost);
  }
});
