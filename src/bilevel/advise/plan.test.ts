/** The planner's counts against those of the rules it plans, and its promises. */
import { test as property, fc } from "@fast-check/vitest";
import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import type { Value } from "../../program/ir.ts";
import { Program } from "../../program/program.ts";
import { zeros } from "../../program/tensors/tensor.ts";
import { adam } from "../optimizers/adam.ts";
import { gradientDescent } from "../optimizers/gradient-descent.ts";
import { momentum } from "../optimizers/momentum.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { formatBytes, planMemory } from "./plan.ts";
import type { Plan, PlanOptions } from "./types.ts";
import { bilevel } from "../problem.ts";
import type { Cost } from "../rule.ts";

const problem = bilevel({
  inner: (w: np.Array, lambda: np.Array) =>
    np.sum(np.square(w)).mul(np.sum(np.exp(lambda))).mul(0.5), // prettier-ignore
  outer: (w: np.Array, lambda: np.Array) =>
    np.sum(np.square(w.sub(1))).add(np.sum(np.square(lambda))),
});
const prepared = bilevel({
  prepare: (lambda: np.Array, d: np.Array) => d.mul(np.sum(lambda)),
  inner: (w: np.Array, _lambda: np.Array, d: np.Array) =>
    np.sum(np.square(w)).add(np.sum(d).mul(np.sum(w))),
  outer: (w: np.Array) => np.sum(np.square(w.sub(1))),
});

/** The cost that the planned rule's estimate declares. */
function built(plan: Plan, options: PlanOptions, dynamics: Optimizer): Cost {
  const rule = plan.rule({ dynamics });
  const program = new Program(rule.name);
  const leaf = (name: string, length: number): Value =>
    program.input(name, zeros([length])) as Value;
  const lambda = leaf("lambda", options.hyperparameters);
  const w = leaf("w", options.weights);
  const data = { inner: leaf("inner", options.preparedFloats || 1), outer: leaf("outer", 1) };
  const state = program.call(rule.init as never, w, lambda);
  const chosen = options.preparedFloats ? prepared : problem;
  return rule.estimate(program, chosen, { lambda, w, state, data }).cost;
}

const optimizers = [
  { optimizer: gradientDescent({ learningRate: 0.1 }), state: (n: number) => n },
  { optimizer: momentum({ learningRate: 0.1, momentum: 0.9 }), state: (n: number) => 2 * n },
  { optimizer: adam({ learningRate: 0.1 }), state: (n: number) => 3 * n + 2 },
];
const arbitraryOptions = fc.record({
  steps: fc.integer({ min: 1, max: 60 }),
  weights: fc.integer({ min: 1, max: 40 }),
  hyperparameters: fc.integer({ min: 1, max: 6 }),
  bytes: fc.integer({ min: 1, max: 20_000 }),
  bytesPerFloat: fc.constantFrom(4, 8),
  preparedFloats: fc.integer({ min: 0, max: 3 }),
  solverSteps: fc.integer({ min: 1, max: 9 }),
  biased: fc.boolean(),
});

describe("the counts", () => {
  property.prop([arbitraryOptions, fc.constantFrom(...optimizers)], { numRuns: 25, seed: 1 })(
    "are those of the rules' own estimates",
    (sizes, { optimizer, state }) => {
      const options = { ...sizes, state: state(sizes.weights) };
      const { ranking, tooLarge } = planMemory(options);
      const plans = [...ranking, ...tooLarge];
      expect(plans.length).toBeGreaterThanOrEqual(3);
      for (const plan of plans) {
        expect(plan.cost, plan.call).toEqual(built(plan, options, optimizer));
      }
    },
  );

  test("with every number of slots", () => {
    const steps = 24;
    const dynamics = gradientDescent({ learningRate: 0.1 });
    const seen = new Set<string>();
    for (let slots = 1; slots < steps; slots++) {
      // A state of 10 numbers of 4 bytes, and the schedule's table.
      const bytes = 44 * slots + 16 * (steps - 1);
      const options = { steps, weights: 10, hyperparameters: 3, bytes };
      const plan = planMemory(options).ranking.find(({ call }) => call.includes("slots"))!;
      expect(plan.call).toBe(`reverse({ steps: 24, checkpoints: { slots: ${slots} } })`);
      expect(plan.bytes).toBe(bytes);
      expect(plan.cost).toEqual(built(plan, options, dynamics));
      seen.add(plan.call);
      const less = planMemory({ ...options, bytes: bytes - 1 });
      expect(less.ranking.some(({ call }) => call === plan.call)).toBe(false);
    }
    expect(seen.size).toBe(steps - 1);
  });

  test("hold for millions of steps", () => {
    const plan = planMemory({ steps: 1e6, weights: 1e4, hyperparameters: 100, bytes: 1e9 });
    const slots = plan.ranking.find(({ call }) => call.includes("slots"))!;
    // The table takes 16 MB, and a slot 40,004 bytes, which leaves room for 24,597: r = 2, for binomial(24,599, 2) ≥ 10⁶.
    expect(slots.call).toContain("slots: 24597");
    expect(slots.cost.innerGradients).toBe(1 + 2e6 - 24_599);
  });
});

describe("the ranking", () => {
  property.prop([arbitraryOptions], { numRuns: 200, seed: 2 })(
    "never holds what exceeds the budget, and names the rest",
    (options) => {
      const { ranking, tooLarge, sentence } = planMemory(options);
      for (const { bytes, fits, cost } of ranking) {
        expect(fits).toBe(true);
        expect(bytes).toBeLessThanOrEqual(options.bytes);
        expect(cost.storedFloats * options.bytesPerFloat).toBeLessThanOrEqual(bytes);
      }
      for (const { bytes, fits } of tooLarge) {
        expect(fits).toBe(false);
        expect(bytes).toBeGreaterThan(options.bytes);
      }
      const kinds = ranking.map(({ kind }) => kind);
      const sorted = [...kinds].sort(
        (a, b) =>
          ["exact", "implicit", "biased"].indexOf(a) - ["exact", "implicit", "biased"].indexOf(b),
      );
      expect(kinds).toEqual(sorted);
      if (kinds.includes("exact") && !options.biased) expect(kinds).not.toContain("biased");
      if (ranking.length === 0) expect(sentence).toMatch(/^Nothing fits in .*: the least is /);
      else expect(sentence.startsWith(ranking[0]!.call)).toBe(true);
    },
  );

  const sizes = { steps: 100, weights: 1000, hyperparameters: 50 };
  const first = (bytes: number) => planMemory({ ...sizes, bytes }).ranking[0];

  test("goes from everything to checkpoints, and then to what is not exact", () => {
    expect(first(1e6)!.call).toBe("reverse({ steps: 100 })");
    expect(first(1e6)!.sentence).toBe(
      "fits in 400 kB: keeps every state and makes none again; 100 inner gradients and 200 products.",
    );
    expect(first(400_000)!.call).toBe("reverse({ steps: 100 })");
    expect(first(399_999)!.call).toBe("reverse({ steps: 100, checkpoints: { slots: 99 } })");
    expect(first(20_000)!.call).toBe("reverse({ steps: 100, checkpoints: { slots: 4 } })");
    expect(first(4_500)!.kind).toBe("biased");
    expect(first(4_500)!.call).toBe("truncated({ steps: 100, keep: 1 })");
    expect(first(3_999)).toBeUndefined();
  });

  test("says so when nothing fits", () => {
    const plan = planMemory({ ...sizes, bytes: 3_000 });
    expect(plan.ranking).toEqual([]);
    expect(plan.sentence).toBe(
      "Nothing fits in 3.0 kB: the least is 4.0 kB, for truncated({ steps: 100, keep: 1 }); one state of the follower takes 4.0 kB. Give more bytes, or make the model smaller.",
    );
  });

  test("prefers forward mode where its tangents are few and states many", () => {
    const { ranking } = planMemory({ steps: 1e4, weights: 100, hyperparameters: 1, bytes: 2e4 });
    expect(ranking[0]!.call).toBe("forward({ steps: 10000 })");
    expect(ranking[0]!.sentence).toContain("carries 1 tangent along");
  });

  test("marks what is biased and what needs a solved inner problem", () => {
    const { ranking } = planMemory({ ...sizes, bytes: 1e6, biased: true });
    const of = (kind: string) => ranking.filter((plan) => plan.kind === kind);
    expect(of("biased")[0]!.call).toBe("truncated({ steps: 100, keep: 99 })");
    expect(of("biased")[0]!.sentence).toContain(
      "biased: it leaves out how the first 1 step depends on the hyperparameters",
    );
    expect(of("implicit")[0]!.sentence).toContain(
      "right only where the inner solution is unique, its Hessian positive definite",
    );
    expect(ranking.at(-1)).toBe(of("biased")[0]);
  });
});

test("sizes that make no sense are refused", () => {
  const sizes = { steps: 10, weights: 3, hyperparameters: 2, bytes: 100 };
  expect(() => planMemory({ ...sizes, steps: 0 })).toThrow(
    "planMemory: steps must be a whole number >= 1; 0 came.",
  );
  expect(() => planMemory({ ...sizes, bytes: NaN })).toThrow(
    "planMemory: bytes must be a number > 0; NaN came.",
  );
  expect(() => planMemory({ ...sizes, preparedFloats: -1 })).toThrow(/preparedFloats/);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [999.6, "1.0 kB"],
  [1_240_000, "1.2 MB"],
  [999_990, "1.0 MB"],
  [4e8, "400 MB"],
  [2.5e18, "2500 PB"],
])("%d bytes read %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
