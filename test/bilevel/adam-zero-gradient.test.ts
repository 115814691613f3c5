/** Adam where a gradient is exactly 0: the adjoint exceeds every number, and what it is multiplied by is 0. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  adam,
  bilevel,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  reverse,
  tensor,
} from "../../src/index.ts";
import { clipped } from "../../src/bilevel/index.ts";
import { forward } from "../../src/bilevel/rules/index.ts";
import { expectClose, flat } from "./evaluate.ts";

type Rows = { x: np.Array; y: np.Array };
const fit = (w: np.Array, { x, y }: Rows): np.Array =>
  np.sum(np.square(np.dot(x, w).sub(y))).mul(0.5);
/** Ridge regression whose second feature is 0 in every training row: w[1] stays 0, whatever λ is. */
const ridge = bilevel({
  inner: (w: np.Array, l: np.Array, d: Rows) =>
    fit(w, d).add(np.sum(np.exp(l).mul(np.square(w))).mul(0.5)),
  outer: (w: np.Array, _l: np.Array, d: Rows) => fit(w, d),
});
/** L = ½(w − λ)², whose gradient is 0 at w = λ, but not for any other λ. */
const tracking = bilevel({
  inner: (w: np.Array, l: np.Array) => np.square(w.sub(l)).mul(0.5),
  outer: (w: np.Array) => w.mul(2),
});
afterAll(() => Promise.all([ridge, tracking].map((problem) => disposePrograms(problem))));

function place(dtype: "float32" | "float64") {
  const all = (values: number[] | number[][]) => tensor(values as number[], { dtype });
  return {
    lambda: all([0, 0]),
    w: all([0, 0]),
    data: {
      inner: {
        x: all([
          [1, 0],
          [2, 0],
          [3, 0],
        ]),
        y: all([1, 2, 2]),
      },
      outer: {
        x: all([
          [1.5, 1],
          [2.5, 1],
        ]),
        y: all([0.9, 1.4]),
      },
    },
  };
}
const dynamics = adam({ learningRate: 0.1 });

describe.each(["float32", "float64"] as const)("%s", (dtype) => {
  test.each([
    ["reverse", (steps: number) => reverse({ steps, dynamics })],
    ["with checkpoints", (steps: number) => reverse({ steps, dynamics, checkpoints: "sqrt" })],
    ["forward", (steps: number) => forward({ steps, dynamics })],
    ["clipped", (steps: number) => reverse({ steps, dynamics: clipped(dynamics, { norm: 1e6 }) })],
  ])(
    "%s: an absent feature's derivative is 0, and the other one's is right",
    async (_name, make) => {
      const short = await hypergradient(ridge, { ...place(dtype), rule: make(10) });
      expectClose(flat(short.gradient), [-0.046296, 0], 1e-6);
      const long = await hypergradient(ridge, { ...place(dtype), rule: make(200) });
      const [first, second] = flat(long.gradient);
      expect(Number.isFinite(first)).toBe(true);
      expect(second).toBe(0);
      expect(long.report.status).not.toBe("non-finite");
    },
  );
});

test("after 200 steps, against central differences in both types", async () => {
  const check = await checkHypergradient(ridge, {
    ...place("float32"),
    rule: reverse({ steps: 200, dynamics }),
  });
  expect(check.passed, check.sentence).toBe(true);
  expect(check.given?.isFinite).toBe(true);
  expect(check.sentence).toContain("In float32, the type that came, it is the same to");
});

test("a derivative that exceeds all numbers is infinite, not the number at which the adjoint was held", async () => {
  const at = (dtype: "float32" | "float64", steps: number) =>
    hypergradient(tracking, {
      rule: reverse({ steps, dynamics }),
      lambda: tensor(0, { dtype }),
      w: tensor(0, { dtype }),
      data: { inner: [], outer: [] },
    });
  // One step: dw/dλ = s/ε.
  const once = flat((await at("float64", 1)).gradient)[0]!;
  expect(once / 2e7).toBeCloseTo(1, 6);
  for (const [dtype, steps] of [
    ["float32", 10],
    ["float64", 200],
  ] as const) {
    const { gradient, report } = await at(dtype, steps);
    expect(Math.abs(flat(gradient)[0]!)).toBe(Infinity);
    expect(report.status).toBe("non-finite");
  }
});

test("the check does not pass in float64 what fails in the type that came", async () => {
  // λ⁴ at 1e13 exceeds float32, not float64.
  const problem = bilevel({
    inner: (w: np.Array, _l: np.Array) => np.square(w),
    outer: (_w: np.Array, l: np.Array) => np.square(np.square(l)).mul(1e-36),
  });
  const point = { w: tensor(0), data: { inner: [], outer: [] } };
  const rule = reverse({ steps: 1, dynamics: gradientDescent({ learningRate: 0.1 }) });
  const large = await checkHypergradient(problem, { ...point, rule, lambda: tensor(1e13) });
  expect(large.passed).toBe(false);
  expect(large.precision).toBe("float64");
  expect(large.given).toMatchObject({ precision: "float32", isFinite: false });
  expect(large.sentence).toContain("But in float32, the type that came, it is not finite");
  await disposePrograms(problem);
});

test("in float64 there is nothing else to look at", async () => {
  const check = await checkHypergradient(ridge, {
    ...place("float64"),
    rule: reverse({ steps: 10, dynamics }),
  });
  expect(check.passed).toBe(true);
  expect(check.given).toBeUndefined();
});

test("a clipped optimizer at a gradient of exactly 0 has the derivative of its plain step", async () => {
  const optimizer = clipped(gradientDescent({ learningRate: 0.1 }), { norm: 1 });
  const rule = reverse({ steps: 3, dynamics: optimizer });
  const { gradient } = await hypergradient(tracking, {
    rule,
    lambda: tensor(0, { dtype: "float64" }),
    w: tensor(0, { dtype: "float64" }),
    data: { inner: [], outer: [] },
  });
  expectClose(flat(gradient), [2 * (1 - 0.9 ** 3)], 1e-15);
});
