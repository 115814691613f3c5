/** Stochastic rules on minibatches: which batch a step sees, finite sums, and resuming. */
import { numpy as np } from "@jax-js/jax";
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
  bilevel,
  disposePrograms,
  fixedBatches,
  gradientDescent,
  hypergradient,
  minibatches,
  powerLaw,
  solve,
  type Problem,
  type Rule,
  type Sampler,
  type Schedule,
} from "../../src/bilevel/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";
import { leavesOf } from "./descend.ts";
import { f64 } from "./problems.ts";

/** P2 as finite sums: 8 inner and 4 outer terms whose means are P2's A, B and c. */
const finiteSum: Problem = bilevel({
  inner: (z: np.Array, x: np.Array, d: { a: np.Array; b: np.Array }) =>
    np
      .dot(z, np.dot(np.mean(d.a, 0), z))
      .mul(0.5)
      .sub(np.dot(x, np.dot(np.mean(d.b, 0), z))),
  outer: (z: np.Array, x: np.Array, d: { c: np.Array }) =>
    np
      .sum(np.square(z.sub(d.c)))
      .div(d.c.shape[0]! * 2)
      .add(np.sum(np.square(x)).mul(0.05)),
});
const spread = (size: number, i: number): number => size * (i % 2 === 0 ? 1 : -1) * (1 + (i >> 1));
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const terms = {
  inner: {
    a: f64(range(8).map((i) => [[2 + spread(0.15, i), 0.5], [0.5, 1 - spread(0.1, i)]])), // prettier-ignore
    b: f64(range(8).map((i) => [[1, spread(0.2, i)], [0.5 - spread(0.1, i), 1]])), // prettier-ignore
  },
  outer: { c: f64(range(4).map((j) => [1 + spread(0.3, j), -1 + spread(0.2, j)])) },
};
/** ‖∇h(x)‖² = ‖ρx + BA⁻¹(A⁻¹Bᵀx − c)‖². */
function squaredGradient([x, y]: readonly number[]): number {
  const solveA = (u: number, v: number): number[] => [
    (u - 0.5 * v) / 1.75,
    (2 * v - 0.5 * u) / 1.75,
  ];
  const [z1, z2] = solveA(x! + 0.5 * y!, y!);
  const [v1, v2] = solveA(z1! - 1, z2! + 1);
  return (0.1 * x! + v1!) ** 2 + (0.1 * y! + 0.5 * v1! + v2!) ** 2;
}

afterAll(() => disposePrograms(finiteSum));

describe("finite sums", () => {
  const inner = fixedBatches({ data: terms.inner, size: 1 });
  const outer = fixedBatches({ data: terms.outer, size: 1 });

  /** ‖∇h‖² at λ of every step. */
  async function path(rule: Rule, rate: number | Schedule, steps: number): Promise<number[]> {
    const run = solve(finiteSum, {
      rule,
      optimizer: gradientDescent({ learningRate: rate }),
      lambda: f64([1, 1]),
      w: f64([0, 0]),
      data: { inner, outer },
      budget: { steps },
      innerValue: false,
      seed: 3,
    });
    const norms: number[] = [];
    for await (const { lambda } of run) norms.push(squaredGradient(leavesOf(lambda)));
    expect((await run).status).toBe("max-steps");
    return norms;
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, x) => sum + x, 0) / values.length;

  test("the closed form vanishes at P2's solution", () => {
    expect(squaredGradient([1.3766566908935443, -0.5515177426250534])).toBeLessThan(1e-30);
    expect(squaredGradient([1, 1])).toBeGreaterThan(0.1);
  });

  test("constant rates: SABA converges, SOBA stays where its noise holds it", async () => {
    const steps = 4000;
    const batches = { inner: inner.count, outer: outer.count };
    const reduced = await path(saba({ learningRate: 0.1, batches }), 0.05, steps);
    expect(reduced.at(-1)).toBeLessThan(1e-20);
    const plain = await path(soba({ learningRate: 0.1 }), 0.05, steps);
    const [middle, last] = [mean(plain.slice(2000, 3000)), mean(plain.slice(3000))];
    expect(last).toBeGreaterThan(1e-3);
    expect(last / middle).toBeGreaterThan(0.5);
    expect(last / middle).toBeLessThan(2);

    // Rates that fall as k^(−1/2) bring it on.
    const falling = (initial: number): Schedule => powerLaw({ initial, power: -1 / 2 });
    const slower = await path(soba({ learningRate: falling(0.4) }), falling(0.2), steps);
    expect(mean(slower.slice(3000))).toBeLessThan(last / 4);
  });

  test("data without the batch's index are refused, a wrong index ends the run", async () => {
    const rule = saba({ batches: { inner: 8 } });
    const point = { lambda: f64([1, 1]), w: f64([0, 0]) };
    await expect(hypergradient(finiteSum, { rule, ...point, data: terms })).rejects.toThrow(
      'saba: with 8 inner batches the inner data must have an int32 scalar "batch", the batch\'s index, and have none; take them from fixedBatches.',
    );
    const evaluate = (index: number): ReturnType<typeof hypergradient> => {
      const inner = { ...terms.inner, batch: tensor(index, { dtype: "int32" }) };
      return hypergradient(finiteSum, { rule, ...point, data: { ...terms, inner } });
    };
    expect((await evaluate(7)).report.status).toBe("max-steps");
    expect((await evaluate(8)).report.status).toBe("non-finite");
  });
});

describe("one minibatch for each inner step", () => {
  /** L_i = ½a_i z² − b_i xz, E = ½(z − 1)² + 0.05x². */
  const scalar: Problem = bilevel({
    inner: (z: np.Array, x: np.Array, d: { a: np.Array; b: np.Array }) =>
      np.sum(d.a.mul(0.5).mul(np.square(z)).sub(d.b.mul(x).mul(z))),
    outer: (z: np.Array, x: np.Array) => np.square(z.sub(1)).mul(0.5).add(np.square(x).mul(0.05)),
  });
  const data = { a: f64([1, 1.5, 2, 2.5, 3]), b: f64([0.5, 1, 1.5, -0.5, 0.8]) };
  afterAll(() => disposePrograms(scalar));
  type Batch = { a: number; b: number };
  const [rho, rhoV, gamma] = [0.1, 0.07, 0.2];

  /** Runs the rule, and `step` on the host with the very same batches; λ after four steps must agree. */
  async function check(
    rule: Rule,
    step: (x: number, batches: Batch[], k: number) => number,
  ): Promise<void> {
    const inner = minibatches({ data, size: 1, perStep: rule.innerSteps });
    let x = 0.7;
    for (let k = 0; k < 4; k++) {
      const { a, b } = inner.batch(k, { seed: 6, stream: "inner" }) as unknown as typeof data;
      x -= gamma * step(x, range(rule.innerSteps).map((i) => ({ a: a.data[i]!, b: b.data[i]! })), k); // prettier-ignore
    }
    const found = await solve(scalar, {
      rule,
      optimizer: gradientDescent({ learningRate: gamma }),
      lambda: f64(0.7),
      w: f64(0.4),
      data: { inner, outer: [] },
      budget: { steps: 4 },
      innerValue: false,
      seed: 6,
    });
    expect(leavesOf(found.lambda)[0]).toBeCloseTo(x, 14);
  }

  test("amigo: first those of z, then those of v, whose last the leader sees", async () => {
    let [z, v] = [0.4, 0];
    const rates = { learningRate: rho, auxiliaryLearningRate: rhoV };
    await check(amigo({ ...rates, steps: 3, auxiliarySteps: 2 }), (x, batches) => {
      for (const { a, b } of batches.slice(0, 3)) z -= rho * (a * z - b * x);
      for (const { a } of batches.slice(3)) v -= rhoV * (a * v + z - 1);
      return 0.1 * x - batches[4]!.b * v;
    });
  });

  test("stocBio: first those of z, then one for each product", async () => {
    let z = 0.4;
    const rule = stocBio({ learningRate: rho, steps: 2, products: 3, seriesStep: rhoV });
    await check(rule, (x, batches) => {
      for (const { a, b } of batches.slice(0, 2)) z -= rho * (a * z - b * x);
      let p = z - 1;
      let sum = p;
      for (const { a } of batches.slice(2)) sum += p *= 1 - rhoV * a;
      return 0.1 * x + rhoV * sum * batches[4]!.b;
    });
  });

  test("mrbo: the first for ∇L, the others for the products, the same at the old point", async () => {
    let [z, d, h, lastX, lastZ] = [0.4, 0, 0, 0.7, 0.4];
    const eta = 0.3;
    const rule = mrbo({ learningRate: rho, products: 2, seriesStep: rhoV, momentum: eta });
    await check(rule, (x, [first, ...others], k) => {
      const ofInner = (x: number, z: number): number => first!.a * z - first!.b * x;
      const leader = (x: number, z: number): number => {
        let p = z - 1;
        let sum = p;
        for (const { a } of others) sum += p *= 1 - rhoV * a;
        return 0.1 * x + rhoV * sum * others[1]!.b;
      };
      d = ofInner(x, z) + (k === 0 ? 0 : (1 - eta) * (d - ofInner(lastX, lastZ)));
      h = leader(x, z) + (k === 0 ? 0 : (1 - eta) * (h - leader(lastX, lastZ)));
      [lastX, lastZ, z] = [x, z, z - rho * d];
      return h;
    });
  });
});

describe("a run that was stopped goes on bit for bit", () => {
  const inner = fixedBatches({ data: terms.inner, size: 2 });
  const outer = fixedBatches({ data: terms.outer, size: 2 });
  const shuffled = (perStep: number): Sampler =>
    minibatches({ data: terms.inner, size: 2, ...(perStep > 1 && { perStep }) });

  test.each([
    soba(),
    saba({ batches: { inner: 4, outer: 2 } }),
    fsla({ momentum: powerLaw({ initial: 0.9, power: -1 / 2 }) }),
    amigo({ steps: 2 }),
    ttsa({ steps: 2, terms: 4, seriesStep: 0.2 }),
    mrbo({ products: 2 }),
    sustain({ terms: 4, seriesStep: 0.2 }),
  ])("$name", async (rule) => {
    const run = async (
      change: { resume?: Uint8Array },
      stopAfter = Infinity,
    ): Promise<{ bytes: Uint8Array; lambda: Tensor }> => {
      let bytes = new Uint8Array();
      const steps = solve(finiteSum, {
        rule,
        optimizer: gradientDescent({ learningRate: 0.05 }),
        lambda: f64([1, 1]),
        w: f64([0, 0]),
        data: { inner: rule.name === "saba" ? inner : shuffled(rule.innerSteps), outer },
        budget: { steps: 14 },
        seed: 9,
        checkpoint: { everySteps: 100, save: (saved) => void (bytes = Uint8Array.from(saved)) },
        ...change,
      });
      for await (const { step } of steps) if (step === stopAfter) break;
      return { bytes, lambda: (await steps).lambda as unknown as Tensor };
    };
    const whole = await run({});
    const resumed = await run({ resume: (await run({}, 6)).bytes });
    expect(resumed.lambda.data).toEqual(whole.lambda.data);
    expect(Buffer.compare(resumed.bytes, whole.bytes)).toBe(0);
  });
});
