/** Stochastic rules with all the data at once: where they come to rest, and what a step is. */
import { afterAll, describe, expect, test } from "vitest";
import {
  amigo,
  fsla,
  mrbo,
  reverse,
  saba,
  soba,
  stocBio,
  sustain,
  ttsa,
} from "../../src/bilevel/rules/index.ts";
import {
  disposePrograms,
  hypergradient,
  gradientDescent,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { descend, leavesOf } from "./descend.ts";
import { f64, planeQuadratic, representation } from "./problems.ts";

const { problem, data } = planeQuadratic;
const learned = representation();
afterAll(async () => {
  await disposePrograms(problem as Problem);
  await disposePrograms(learned.problem);
});

/** Where λ ends with ρ = 0.2, from x = (1, 1), z = 0; γ = `rate` only sets how soon. */
const rest = async (rule: Rule, steps = 1600, rate = 0.05): Promise<number[]> =>
  (
    await descend(problem, {
      rule,
      rate,
      steps,
      lambda: f64([1, 1]),
      w: f64([0, 0]),
      data,
    })
  ).x;
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

// (ρI + BA⁻²Bᵀ)⁻¹ BA⁻¹c for A = [[2, ½], [½, 1]], B = [[1, 0], [½, 1]], c = (1, −1), ρ = 0.1.
const optimum = [1.3766566908935443, -0.5515177426250534];
const learningRate = 0.2;

describe("P2: where the leader comes to rest", () => {
  test.each([
    soba({ learningRate }),
    saba({ learningRate }),
    fsla({ learningRate, momentum: 0.5 }),
    amigo({ learningRate, steps: 10 }),
  ])("$name: at the solution", async (rule) => {
    expect(distance(await rest(rule), optimum)).toBeLessThan(3e-11);
  });

  test.each([
    stocBio({ learningRate, products: 10 }),
    mrbo({ learningRate, products: 10, momentum: 0.5 }),
  ])("$name, 11 terms: beside it, at the truncated series' own solution", async (rule) => {
    const x = await rest(rule);
    expect(distance(x, [1.36345963, -0.53574527])).toBeLessThan(1e-8);
    expect(distance(x, optimum)).toBeCloseTo(0.0158, 4);
  });

  test.each([
    stocBio({ learningRate, products: 100 }),
    mrbo({ learningRate, products: 100, momentum: 0.5 }),
  ])("$name, 101 terms: 2.4e-9 beside it", async (rule) => {
    expect(distance(await rest(rule, 450, 0.2), optimum)).toBeCloseTo(2.4584e-9, 12);
  });

  // One term leaves no chance: x = (ρI + ηBA⁻¹Bᵀ)⁻¹ ηBc = (14/15, −1/3) for η = 0.2.
  test.each([ttsa({ learningRate, terms: 1 }), sustain({ learningRate, terms: 1, momentum: 0.5 })])(
    "$name, one term",
    async (rule) => {
      expect(distance(await rest(rule, 700, 0.2), [14 / 15, -1 / 3])).toBeLessThan(1e-12);
    },
  );
});

describe("P2: the first steps, written out", () => {
  type Vector = number[];
  const times = (m: number[][], v: Vector): Vector =>
    m.map((row) => row[0]! * v[0]! + row[1]! * v[1]!);
  const add = (a: Vector, s: number, b: Vector): Vector => a.map((x, i) => x + s * b[i]!);
  const a = (v: Vector): Vector => times([[2, 0.5], [0.5, 1]], v); // prettier-ignore
  const b = (v: Vector): Vector => times([[1, 0], [0.5, 1]], v); // prettier-ignore
  const bt = (v: Vector): Vector => times([[1, 0.5], [0, 1]], v); // prettier-ignore
  const ofInner = (x: Vector, z: Vector): Vector => add(a(z), -1, bt(x));
  const ofOuter = (z: Vector): Vector => add(z, -1, [1, -1]);
  // ∇_xE + ∇²_xyL v
  const leader = (x: Vector, v: Vector): Vector => add(x.map((x) => 0.1 * x), -1, b(v)); // prettier-ignore
  const [rho, rhoV, gamma, eta] = [0.2, 0.15, 0.05, 0.3];
  const rates = { learningRate: rho, auxiliaryLearningRate: rhoV };
  const start = (): [x: Vector, z: Vector, v: Vector] => [
    [1, 1],
    [0.4, -0.3],
    [0, 0],
  ];
  const series = (z: Vector): Vector => {
    let p = ofOuter(z);
    let sum = p;
    for (let j = 0; j < 3; j++) sum = add(sum, 1, (p = add(p, -rhoV, a(p))));
    return sum.map((s) => -rhoV * s);
  };

  const check = async (rule: Rule, steps: number, x: Vector): Promise<void> => {
    const run = { rate: gamma, lambda: f64([1, 1]), w: f64([0.4, -0.3]), data };
    const found = (await descend(problem, { rule, steps, ...run })).x;
    expect(distance(found, x)).toBeLessThan(1e-14);
  };

  test("soba and saba: all at once, from the same old iterates", async () => {
    let [x, z, v] = start();
    for (let k = 0; k < 6; k++) {
      [x, z, v] = [
        add(x, -gamma, leader(x, v)),
        add(z, -rho, ofInner(x, z)),
        add(v, -rhoV, add(a(v), 1, ofOuter(z))),
      ];
    }
    await check(soba(rates), 6, x);
    await check(saba(rates), 6, x);
  });

  test("fsla: in turn, and the old direction corrected", async () => {
    let [x, z, v] = start();
    let [lastX, h] = [x, x];
    for (let k = 0; k < 6; k++) {
      const before = leader(lastX, v);
      z = add(z, -rho, ofInner(x, z));
      v = add(v, -rhoV, add(a(v), 1, ofOuter(z)));
      const now = leader(x, v);
      h = k === 0 ? now : add(now, 1 - eta, add(h, -1, before));
      [lastX, x] = [x, add(x, -gamma, h)];
    }
    await check(fsla({ ...rates, momentum: eta }), 6, x);
  });

  test("amigo: several steps of each", async () => {
    let [x, z, v] = start();
    for (let k = 0; k < 6; k++) {
      for (let i = 0; i < 3; i++) z = add(z, -rho, ofInner(x, z));
      for (let i = 0; i < 2; i++) v = add(v, -rhoV, add(a(v), 1, ofOuter(z)));
      x = add(x, -gamma, leader(x, v));
    }
    await check(amigo({ ...rates, steps: 3, auxiliarySteps: 2 }), 6, x);
  });

  test("stocBio: the series from its start", async () => {
    let [x, z] = start();
    for (let k = 0; k < 6; k++) {
      for (let i = 0; i < 4; i++) z = add(z, -rho, ofInner(x, z));
      x = add(x, -gamma, leader(x, series(z)));
    }
    await check(stocBio({ learningRate: rho, steps: 4, products: 3, seriesStep: rhoV }), 6, x);
  });

  test("mrbo: both directions recycled", async () => {
    let [x, z] = start();
    let [lastX, lastZ, d, h] = [x, z, z, x];
    for (let k = 0; k < 6; k++) {
      const now = [ofInner(x, z), leader(x, series(z))] as const;
      const before = [ofInner(lastX, lastZ), leader(lastX, series(lastZ))] as const;
      d = k === 0 ? now[0] : add(now[0], 1 - eta, add(d, -1, before[0]));
      h = k === 0 ? now[1] : add(now[1], 1 - eta, add(h, -1, before[1]));
      [lastX, lastZ, x, z] = [x, z, add(x, -gamma, h), add(z, -rho, d)];
    }
    const rule = mrbo({ learningRate: rho, products: 3, seriesStep: rhoV, momentum: eta });
    await check(rule, 6, x);
  });
});

describe("a learned representation: derivatives flow through `prepare`", () => {
  const { lambda, w, data, learningRate } = learned;
  const expected = hypergradient(learned.problem, {
    rule: reverse({ steps: 3000, dynamics: gradientDescent({ learningRate }) }),
    lambda,
    w,
    data,
  });

  test.each([
    soba({ learningRate }),
    saba({ learningRate }),
    fsla({ learningRate }),
    amigo({ learningRate }),
    stocBio({ learningRate, products: 1000 }),
    mrbo({ learningRate, products: 1000 }),
  ])("$name, while λ stands still: the exact hypergradient", async (rule) => {
    // The series needs no time to converge, only the answer.
    const isSeries = rule.name === "stocbio" || rule.name === "mrbo";
    const run = solve(learned.problem, {
      rule,
      optimizer: gradientDescent({ learningRate: 1e-300 }),
      lambda,
      w: isSeries ? (await expected).w : w,
      data,
      budget: { steps: isSeries ? 3 : 1500 },
      innerValue: false,
    });
    let direction: number[] = [];
    for await (const { gradient } of run) direction = leavesOf(gradient);
    const exact = leavesOf((await expected).gradient);
    expect(distance(direction, exact)).toBeLessThan(1e-9 * Math.max(...exact.map(Math.abs)));
  });
});
