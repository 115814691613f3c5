/** The check passes right hypergradients, fails wrong ones, and says why. */
import { numpy as np, tree } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import type { Value } from "../../src/program/ir.ts";
import { tensor, type Tree } from "../../src/program/index.ts";
import { f64, logisticTrees, logRidge, scalarQuadratic, type Case } from "./problems.ts";

const right = reverse({ steps: 8, dynamics: gradientDescent({ learningRate: 0.3 }) });
const trees = logisticTrees();
afterAll(async () => {
  for (const { problem } of [trees, logRidge, scalarQuadratic]) await disposePrograms(problem);
});

const checkCase = (c: Case, rule: Rule) =>
  checkHypergradient(c.problem, { rule, lambda: c.lambda, w: c.w, data: c.data });

/** The right rule with its gradient's leaves altered. */
function altered(name: string, alter: (leaf: np.Array, index: number) => np.Array): Rule {
  return {
    ...right,
    name,
    estimate: (program, problem, point) => {
      const estimate = right.estimate(program, problem, point);
      const [leaves, structure] = tree.flatten<Value>(estimate.gradient);
      const gradient = tree.unflatten(
        structure,
        leaves.map((leaf, i) => program.call((x: np.Array) => alter(x, i), leaf)),
      ) as Tree<Value>;
      return { ...estimate, gradient };
    },
  };
}

describe("a right hypergradient", () => {
  test("passes, with the expected order", async () => {
    const check = await checkCase(trees, right);
    expect(check.passed, check.sentence).toBe(true);
    expect(check.order).toBeCloseTo(2, 1);
    expect(check.bestRelativeError).toBeLessThan(1e-8);
    expect(check.table.map(({ name }) => name)).toEqual([
      "random direction 1",
      "random direction 2",
      "random direction 3",
      "lambda.decay",
      "lambda.outputs[0].scale",
    ]);
    expect(check.sentence).toMatch(/agrees with central differences in float64.*falls as h\^2\.0/);
  });

  test("of a quadratic F has no observable order, and the check says so", async () => {
    const check = await checkCase(scalarQuadratic, right);
    expect(check.passed, check.sentence).toBe(true);
    expect(check.order).toBeUndefined();
    expect(check.sentence).toContain("the order is not observable: from the largest step on");
  });

  test("the same seed draws the same directions, another seed others", async () => {
    const run = async (seed: number) =>
      (
        await checkHypergradient(trees.problem, {
          rule: right,
          lambda: trees.lambda,
          w: trees.w,
          data: trees.data,
          seed,
          directions: 1,
        })
      ).table[0]!.analytic;
    expect(await run(5)).toBe(await run(5));
    expect(await run(5)).not.toBe(await run(6));
  });
});

describe("a wrong hypergradient", () => {
  test("scaled by 1.01 in one leaf fails and the leaf is named", async () => {
    const rule = altered("one leaf scaled", (x, i) => (i === 1 ? x.mul(1.01) : x));
    const check = await checkCase(trees, rule);
    expect(check.passed).toBe(false);
    expect(check.sentence).toContain("wrong along lambda.outputs[0].scale:");
    expect(check.bestRelativeError).toBeGreaterThan(5e-3);
    const named = check.table.find(({ name }) => name === "lambda.outputs[0].scale")!;
    expect(named.relativeError).toBeCloseTo(0.01 / 1.01, 6);
    const untouched = check.table.find(({ name }) => name === "lambda.decay")!;
    expect(untouched.relativeError).toBeLessThan(1e-8);
    expect(Math.abs(named.order!)).toBeLessThan(0.5);
  });

  test("without the direct term ∇_λ E fails", async () => {
    const withoutDirectTerm: Problem = bilevel({
      ...trees.problem,
      outer: (w, lambda, d) =>
        trees.problem.outer(w, tree.map((x: np.Array) => x.ref, lambda) as never, d),
    });
    const rule: Rule = {
      ...right,
      name: "no direct term",
      estimate: (program, problem, point) => {
        const full = right.estimate(program, problem, point);
        const direct = program.call(
          (lambda: { decay: np.Array }) => lambda.decay.mul(0.02),
          point.lambda,
        );
        const gradient = full.gradient as { decay: Value; outputs: Tree<Value> };
        const decay = program.call((g: np.Array, d: np.Array) => g.sub(d), gradient.decay, direct);
        return { ...full, gradient: { ...gradient, decay } };
      },
    };
    const check = await checkHypergradient(withoutDirectTerm, {
      rule,
      lambda: trees.lambda,
      w: trees.w,
      data: trees.data,
    });
    expect(check.passed).toBe(false);
    expect(check.sentence).toMatch(/^The hypergradient is wrong along lambda\.decay: .*missing/);
    await disposePrograms(withoutDirectTerm);
  });

  test("with the wrong sign on a single number fails", async () => {
    const check = await checkCase(
      logRidge,
      altered("negated", (x) => x.mul(-1)),
    );
    expect(check.passed).toBe(false);
    expect(check.bestRelativeError).toBeCloseTo(2, 6);
  });

  test("that is not finite fails", async () => {
    const check = await checkCase(
      logRidge,
      altered("undefined", (x) => x.div(x.sub(x))),
    );
    expect(check.passed).toBe(false);
    expect(check.sentence).toContain("not finite");
  });
});

describe("where float64 does not run", () => {
  const data = { inner: tensor([1, 2, 0]), outer: tensor([1, 1, 0]) };
  const at = { rule: right, lambda: tensor(-1), w: tensor([0, 0, 0]), data };
  const distance = (w: np.Array, d: np.Array): np.Array => np.sum(np.square(np.tanh(w).sub(d)));

  test("float32 decides more widely and gives the reason", async () => {
    const problem = bilevel({
      inner: (w: np.Array, lambda: np.Array, d: np.Array) => {
        if (w.dtype === np.float64) throw new Error("this objective wants float32");
        return distance(w, d).add(np.exp(lambda).mul(np.sum(np.square(w))));
      },
      outer: (w: np.Array, _lambda: np.Array, d: np.Array) => distance(w, d),
    });
    const check = await checkHypergradient(problem, at);
    expect(check.passed, check.sentence).toBe(true);
    expect(check.precision).toBe("float32");
    expect(check.sentence).toContain("in float32 (float64 was refused: inner objective: this");
    await disposePrograms(problem);
  });
});

test("options that cannot work are refused", async () => {
  const { problem, lambda, w, data } = logRidge;
  const at = { rule: right, lambda, w, data };
  await expect(checkHypergradient(problem, { ...at, directions: 0 })).rejects.toThrow(
    "directions must be >= 1; 0 came",
  );
  await expect(checkHypergradient(problem, { ...at, steps: [1e-3, 1e-2, 1e-1] })).rejects.toThrow(
    "largest first",
  );
  await expect(
    checkHypergradient(problem, { ...at, lambda: tensor(new Int32Array([1])) }),
  ).rejects.toThrow("lambda must be floating-point");
  expect(f64(1).dtype).toBe("float64");
});
