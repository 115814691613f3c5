/** Forward mode and the binomial checkpoints: both are reverse mode's answer, at another price. */
import { numpy as np } from "@jax-js/jax";
import { afterEach, describe, expect, test } from "vitest";
import {
  adam,
  bilevel,
  contraction,
  disposePrograms,
  gradientDescent,
  hypergradient,
  inverseTimeDecay,
  momentum,
  nonNegative,
  simplex,
} from "../../src/bilevel/index.ts";
import { forward, reverse } from "../../src/bilevel/rules/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";
import { evaluate, expectClose, flat } from "./evaluate.ts";
import { allCases, f64, planeQuadratic, scalarQuadratic } from "./problems.ts";

const cases = allCases();
afterEach(async () => {
  for (const { problem } of cases) await disposePrograms(problem);
});

// Each problem with several methods, memory and schedules included.
const rows = cases.map((c, i) => {
  const s = c.learningRate;
  const dynamics = [
    momentum({ learningRate: s / 2, momentum: 0.6, nesterov: true }),
    adam({ learningRate: s / 2, epsilon: 1e-3 }),
    gradientDescent({ learningRate: inverseTimeDecay({ initial: s, decay: 0.3 }) }),
  ];
  return { c, label: c.name, dynamics: [dynamics[i % 3]!, dynamics[(i + 1) % 3]!] };
});

describe.each(rows)("$label", ({ c, dynamics }) => {
  test("forward and binomial checkpoints are reverse to rounding", async () => {
    for (const [k, method] of dynamics.entries()) {
      const steps = 9 - k;
      const slots = 2 + k;
      const plain = await evaluate(c, reverse({ steps, dynamics: method }));
      const ahead = await evaluate(c, forward({ steps, dynamics: method }));
      const spare = await evaluate(c, reverse({ steps, dynamics: method, checkpoints: { slots } }));
      // The same steps in other programs, where constant factors are gathered in another order.
      const rounding = (values: readonly number[]): number => 1e-14 * (1 + Math.hypot(...values));
      for (const { value, w, report } of [ahead, spare]) {
        expectClose([value], [plain.value], rounding([plain.value]));
        expectClose(flat(w), flat(plain.w), rounding(flat(plain.w)));
        const norms = [report, plain.report].map(({ innerGradientNorm }) => innerGradientNorm!);
        expectClose([norms[0]!], [norms[1]!], rounding([norms[1]!]));
      }
      expectClose(ahead.gradient, plain.gradient, 1e-12 * (1 + Math.hypot(...plain.gradient)));
      expectClose(spare.gradient, plain.gradient, rounding(plain.gradient));
    }
  });
});

describe("forward", () => {
  test("P1 and P2: reverse's numbers", async () => {
    const scalar = forward({ steps: 5, dynamics: gradientDescent({ learningRate: 0.25 }) });
    expectClose((await evaluate(scalarQuadratic, scalar)).gradient, [-0.149755859375], 1e-16);
    const heavy = momentum({ learningRate: 0.3, momentum: 0.5 });
    const plane = await evaluate(planeQuadratic, forward({ steps: 20, dynamics: heavy }));
    expectClose(plane.gradient, [-0.6361342098, 1.8158046269], 1e-9);
  });

  test("first weights that depend on λ, through a representation", async () => {
    type L = Record<"scale" | "first", np.Array>;
    type D = Record<"x" | "y", np.Array>;
    const loss = (w: np.Array, d: D): np.Array => np.mean(np.square(np.matmul(d.x, w).sub(d.y)));
    const problem = bilevel({
      prepare: (l: L, d: D): D => ({ ...d, x: np.tanh(d.x.mul(l.scale)) }),
      init: (l: L, d: D) => l.first.add(np.mean(d.x, 0)),
      inner: (w: np.Array, _l: L, d: D) => loss(w, d),
      outer: (w: np.Array, _l: L, d: D) => loss(w, d),
    });
    const data = { x: f64([0.3, -1, 0.7, 0.2, 1.1, -0.4], [3, 2]), y: f64([1, -1, 0.5]) };
    const at = {
      lambda: { scale: f64([0.5, 1.5]), first: f64([0.2, -0.4]) },
      data: { inner: data, outer: data },
    };
    const dynamics = momentum({ learningRate: 0.1, momentum: 0.5 });
    const plain = await hypergradient(problem, { ...at, rule: reverse({ steps: 6, dynamics }) });
    const ahead = await hypergradient(problem, { ...at, rule: forward({ steps: 6, dynamics }) });
    expectClose(flat(ahead.gradient), flat(plain.gradient), 1e-14);
    await disposePrograms(problem);
  });

  test.each([simplex(), nonNegative()])("projected onto $label", async (projection) => {
    const c = cases[5]!;
    const options = { steps: 6, dynamics: gradientDescent({ learningRate: 0.5 }), projection };
    const plain = await evaluate(c, reverse(options));
    expectClose((await evaluate(c, forward(options))).gradient, plain.gradient, 1e-14);
  });

  test("any contraction, here a damped step", async () => {
    const c = cases[3]!;
    const dynamics = contraction({
      name: "damped",
      step: (w: np.Array, g: np.Array) => w.sub(np.tanh(g).mul(0.05)),
    });
    const plain = await evaluate(c, reverse({ steps: 7, dynamics }));
    const ahead = await evaluate(c, forward({ steps: 7, dynamics }));
    expectClose(ahead.gradient, plain.gradient, 1e-13);
  });

  test("float32", async () => {
    const c = cases[4]!;
    const single = (t: Tensor): Tensor => tensor(Float32Array.from(t.data), { shape: t.shape });
    const { decay, outputs } = c.lambda as unknown as {
      decay: Tensor;
      outputs: { scale: Tensor }[];
    };
    const { weights, bias } = c.w as unknown as Record<"weights" | "bias", Tensor>;
    const { inner, outer } = c.data as unknown as Record<
      "inner" | "outer",
      Record<"x" | "y", Tensor>
    >;
    const at = {
      lambda: { decay: single(decay), outputs: [{ scale: single(outputs[0]!.scale) }] },
      w: { weights: single(weights), bias: single(bias) },
      data: {
        inner: { x: single(inner.x), y: single(inner.y) },
        outer: { x: single(outer.x), y: single(outer.y) },
      },
    };
    const dynamics = gradientDescent({ learningRate: 0.4 });
    const exact = await evaluate(c, forward({ steps: 8, dynamics }));
    const { gradient } = await hypergradient(c.problem, {
      ...at,
      rule: forward({ steps: 8, dynamics }),
    });
    expect((gradient as { decay: Tensor }).decay.dtype).toBe("float32");
    expectClose(flat(gradient), exact.gradient, 1e-5 * Math.hypot(...exact.gradient));
  });

  test("the counts: m products of either kind a step, memory m·|w| whatever T", async () => {
    const dynamics = momentum({ learningRate: 0.1, momentum: 0.5 });
    for (const steps of [5, 50]) {
      // λ has six numbers; the state is w, six numbers in all, and as many of momentum.
      const { report } = await evaluate(cases[4]!, forward({ steps, dynamics }));
      expect(report.cost).toEqual({
        innerGradients: steps,
        hessianVectorProducts: 6 * steps,
        crossProducts: 6 * steps,
        storedFloats: 6 * 12,
        reportGradients: 2,
      });
    }
    // With a representation, dX/dλ of the 7 × 3 prepared inputs as well, for each of 12 hyperparameters.
    const { report } = await evaluate(
      cases[3]!,
      forward({ steps: 5, dynamics: gradientDescent({ learningRate: 0.05 }) }),
    );
    expect(report.cost.storedFloats).toBe(12 * (3 + 7 * 3));
  });

  test("the counts with binomial checkpoints: c states, the schedule's evaluations", async () => {
    const dynamics = momentum({ learningRate: 0.1, momentum: 0.5 });
    const cost = async (steps: number, slots: number) =>
      (await evaluate(cases[4]!, reverse({ steps, dynamics, checkpoints: { slots } }))).report.cost;
    // r = 2 as binomial(5, 2) = 10: 1 + 2·10 − binomial(5, 4) = 16.
    expect(await cost(10, 3)).toEqual({
      innerGradients: 16,
      hessianVectorProducts: 10,
      crossProducts: 10,
      storedFloats: 3 * 12,
      reportGradients: 2,
    });
    // One slot: every state again from the first, 1 + 10·9/2.
    expect(await cost(10, 1)).toMatchObject({ innerGradients: 46, storedFloats: 12 });
    expect(await cost(10, 10)).toMatchObject({ innerGradients: 10, storedFloats: 10 * 12 });
    expect(await cost(1, 1)).toMatchObject({ innerGradients: 1, storedFloats: 12 });
  });

  test("a hyperparameter that nothing reads has gradient 0 and a warning", async () => {
    const problem = bilevel({
      inner: (w: np.Array, l: { used: np.Array }) => np.square(w.sub(l.used)),
      outer: (w: np.Array) => np.square(w),
    });
    const { gradient, report } = await hypergradient(problem, {
      rule: forward({ steps: 2, dynamics: gradientDescent({ learningRate: 0.25 }) }),
      lambda: { unused: f64([1, 2]), used: f64(4) },
      w: f64(0),
      data: { inner: f64(0), outer: f64(0) },
    });
    // w_2 = 0.75·λ.
    expectClose(flat(gradient), [0, 0, 2 * 0.75 * 0.75 * 4], 1e-15);
    expect(report.warnings.length).toBe(1);
    expect(report.warnings[0]).toContain("lambda.unused");
    await disposePrograms(problem);
  });
});
