/** What every value-function and single-loop rule owes: its counts, resuming, minibatches, float32, refusals. */
import { numpy as np, tree } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  linearRamp,
  solve,
  type Rule,
} from "../../src/bilevel/index.ts";
import {
  bome,
  f2sa,
  gradientPenalty,
  logBarrier,
  moreauEnvelope,
  slBamm,
  valuePenalty,
} from "../../src/bilevel/rules/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import { descend, leavesOf } from "./descend.ts";
import { f64, logisticTrees, planeQuadratic, representation } from "./problems.ts";
import { noData, stronglyConvex } from "./problems-without-unique-answer.ts";

/** Every rule of the family with options that fit any problem. */
const family: Record<string, { rule: Rule; cost: Record<string, number>; tooFast: Rule }> = {
  "value penalty": {
    tooFast: valuePenalty({ penalty: 3, steps: 4, learningRate: 50 }),
    rule: valuePenalty({ penalty: 3, steps: 4, learningRate: 0.1, valueSteps: 6 }),
    cost: { innerGradients: 6 + 4 + 2, outerGradients: 4 + 1, storedFloats: 6, reportGradients: 3 },
  },
  f2sa: {
    tooFast: f2sa({ learningRate: 50 }),
    rule: f2sa({ steps: 5, learningRate: 0.05 }),
    cost: { innerGradients: 2 * 5 + 2, outerGradients: 5 + 1, storedFloats: 6, reportGradients: 3 },
  },
  bome: {
    tooFast: bome({ learningRate: 50, responseLearningRate: 50 }),
    rule: bome({ steps: 7, learningRate: 0.1, responseLearningRate: 0.05 }),
    cost: { innerGradients: 7 + 2, outerGradients: 1, storedFloats: 6, reportGradients: 2 },
  },
  "moreau envelope": {
    tooFast: moreauEnvelope({ learningRate: 50 }),
    rule: moreauEnvelope({ learningRate: 0.1 }),
    cost: { innerGradients: 3, outerGradients: 1, storedFloats: 6, reportGradients: 2 },
  },
  "log barrier": {
    tooFast: logBarrier({ learningRate: 50 }),
    rule: logBarrier({ learningRate: 0.1, steps: 4, valueSteps: 6 }),
    cost: { innerGradients: 6 + 4 + 2, outerGradients: 4 + 1, storedFloats: 6, reportGradients: 3 },
  },
  "sl-bamm": {
    tooFast: slBamm({ learningRate: 50 }),
    rule: slBamm(),
    cost: {
      innerGradients: 1,
      outerGradients: 1,
      hessianVectorProducts: 1,
      outerHessianVectorProducts: 1,
      crossProducts: 1,
      outerCrossProducts: 1,
      storedFloats: 6,
      reportGradients: 1,
    },
  },
  "gradient penalty": {
    tooFast: gradientPenalty({ penalty: 2, steps: 4, learningRate: 50 }),
    rule: gradientPenalty({ penalty: 2, steps: 4, learningRate: 0.02 }),
    cost: {
      innerGradients: 4 + 1,
      outerGradients: 4 + 1,
      hessianVectorProducts: 4,
      crossProducts: 1,
      reportGradients: 2,
      reportProducts: 1,
    },
  },
};

describe.each(Object.entries(family))("%s", (_name, { rule, cost, tooFast }) => {
  const c = logisticTrees();
  const at = { lambda: c.lambda, w: c.w, data: c.data };
  afterAll(() => disposePrograms(c.problem));

  test("costs what the formulas say, and stores one more vector like w at most", async () => {
    const { report } = await hypergradient(c.problem, { rule, ...at });
    const none = { hessianVectorProducts: 0, crossProducts: 0, storedFloats: 0 };
    expect(report.cost).toEqual({ ...none, ...cost });
    expect(rule.needs.secondDerivatives).toBe(cost.hessianVectorProducts !== undefined);
    expect(report.sentence).toMatch(/The hypergradient is biased: it /);
  });

  test("a run that resumes ends with the bytes of one that was never interrupted", async () => {
    let bytes: Uint8Array | undefined;
    const options = {
      rule,
      optimizer: gradientDescent({ learningRate: 0.02 }),
      ...at,
      checkpoint: { save: (saved: Uint8Array) => void (bytes = saved) },
    };
    const whole = await solve(c.problem, { ...options, budget: { steps: 6 } });
    await solve(c.problem, { ...options, budget: { steps: 3 } });
    const resumed = await solve(c.problem, { ...options, budget: { steps: 6 }, resume: bytes! });
    expect(resumed.lambda).toEqual(whole.lambda);
    expect(resumed.w).toEqual(whole.w);
    expect(resumed.cost.outerGradients).toBe(7 * cost.outerGradients!);
  });

  test("equal minibatches for each inner step are the whole data", async () => {
    const r = representation();
    const repeat = (leaf: Tensor): Tensor => {
      const copies = Array.from({ length: rule.innerSteps }, () => [...leaf.data]);
      return f64(Float64Array.from(copies.flat()), [rule.innerSteps, ...leaf.shape]);
    };
    const point = { rule, lambda: r.lambda, w: r.w };
    const plain = await hypergradient(r.problem, { ...point, data: r.data });
    const inner = tree.map(repeat, r.data.inner) as Tree<Tensor>;
    const data = { inner, outer: r.data.outer };
    const batched = await hypergradient(r.problem, { ...point, data, batched: true });
    const expected = leavesOf(plain.gradient);
    for (const [i, g] of leavesOf(batched.gradient).entries()) {
      expect(Math.abs(g - expected[i]!)).toBeLessThan(1e-12);
    }
    expect(batched.report.initialInnerGradientNorm).toBeCloseTo(
      plain.report.initialInnerGradientNorm,
      12,
    );
    await disposePrograms(r.problem);
  });

  test("keeps float32", async () => {
    const narrow = (values: Tree<Tensor>): Tree<Tensor> =>
      tree.map((leaf: Tensor) => tensor(leaf, { dtype: "float32" }), values) as Tree<Tensor>;
    const wide = await hypergradient(c.problem, { rule, ...at });
    const { gradient } = await hypergradient(c.problem, {
      rule,
      lambda: narrow(c.lambda),
      w: narrow(c.w),
      data: { inner: narrow(c.data.inner), outer: narrow(c.data.outer) },
    });
    for (const leaf of tree.leaves<Tensor>(gradient as Tensor)) expect(leaf.dtype).toBe("float32");
    const expected = leavesOf(wide.gradient);
    const scale = Math.max(...expected.map(Math.abs));
    for (const [i, g] of leavesOf(gradient).entries()) {
      expect(Math.abs(g - expected[i]!)).toBeLessThan(1e-3 * scale);
    }
  });

  test("steps that are too large end in a named status, not in a plausible answer", async () => {
    const { problem, lambda, w, data } = planeQuadratic;
    const result = await solve(problem, {
      rule: tooFast,
      optimizer: gradientDescent({ learningRate: 0.1 }),
      lambda,
      w,
      data,
      budget: { steps: 400 },
    });
    const last = result.history.at(-1)!;
    const isSeen =
      ["diverged", "non-finite"].includes(result.status) || last.measured.valueGradientNorm! > 1e6;
    expect(isSeen, `${result.sentence} ${JSON.stringify(last)}`).toBe(true);
    await disposePrograms(problem);
  });

  test("refuses first weights that depend on λ", async () => {
    const problem = bilevel({
      init: (lambda: np.Array) => lambda,
      inner: (w: np.Array) => np.sum(np.square(w)),
      outer: (w: np.Array) => np.sum(np.square(w)),
    });
    await expect(hypergradient(problem, { rule, lambda: f64([1]), data: noData })).rejects.toThrow(
      /the problem's init makes the follower's first weights from lambda/,
    );
  });
});

test("schedules count outer steps in the state", async () => {
  const ramp = linearRamp({ from: 1, to: 5, steps: 4 });
  const at = { lambda: f64([2]), w: f64([2]), rate: 0.1, steps: 6 };
  const penalized = valuePenalty({ penalty: ramp, steps: 1, learningRate: 0.5 });
  const { history } = await descend(stronglyConvex, { rule: penalized, ...at });
  expect(history.map(({ measured }) => measured.penalty)).toEqual([1, 2, 3, 4, 5, 5, 5]);
  const growing = f2sa({ multiplier: 2, increment: 0.5, steps: 1, learningRate: 0.1 });
  const second = await descend(stronglyConvex, { rule: growing, ...at });
  expect(second.history.map(({ measured }) => measured.multiplier)).toEqual([
    2, 2.5, 3, 3.5, 4, 4.5, 5,
  ]);
  const envelope = await descend(stronglyConvex, {
    rule: moreauEnvelope({ learningRate: 0.1 }),
    ...at,
  });
  for (const [k, { measured }] of envelope.history.entries()) {
    expect(measured.penalty).toBeCloseTo(0.2 * (k + 1) ** 0.25, 12);
  }
});

test("options that cannot work are refused", () => {
  const s = { steps: 1, learningRate: 0.1 };
  const refusals: [() => unknown, string][] = [
    [
      () => valuePenalty({ penalty: -1, ...s }),
      "valuePenalty: penalty must be a finite number >= 0, or a schedule; -1 came.",
    ],
    [
      () => valuePenalty({ penalty: 1, ...s, steps: 0.5 }),
      "valuePenalty: steps must be a whole number >= 1; 0.5 came.",
    ],
    [
      () => valuePenalty({ penalty: 1, ...s, valueStart: "z" as never }),
      'valuePenalty: valueStart must be "response" or "warm"; z came.',
    ],
    [
      () => f2sa({ ...s, learningRate: "fast" as never }),
      "f2sa: learningRate must be a number or a schedule; a string came.",
    ],
    [
      () => f2sa({ ...s, multiplier: -1 }),
      "f2sa: multiplier must be a finite number >= 0; -1 came.",
    ],
    [
      () => bome({ ...s, responseLearningRate: 0.1, eta: 0 }),
      "bome: eta must be a finite number > 0; 0 came.",
    ],
    [
      () => moreauEnvelope({ learningRate: 0 }),
      "moreauEnvelope: learningRate must be a finite number > 0, or a schedule; 0 came.",
    ],
    [
      () => moreauEnvelope({ learningRate: 1, proximalWeight: NaN }),
      "moreauEnvelope: proximalWeight must be a finite number > 0; NaN came.",
    ],
    [
      () => gradientPenalty({ penalty: 1, ...s, steps: -2 }),
      "gradientPenalty: steps must be a whole number >= 1; -2 came.",
    ],
    [
      () => linearRamp({ from: 0, to: 1, steps: 0 }),
      "linearRamp: steps must be a finite number >= 1; 0 came.",
    ],
  ];
  for (const [make, message] of refusals) expect(make).toThrow(message);
});
