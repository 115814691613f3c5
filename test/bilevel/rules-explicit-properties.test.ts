/**
 * Random quadratic problems with n weights and m ≠ n hyperparameters: forward = reverse = checkpoints of either kind =
 * truncation that keeps all; truncation that does not equals the last terms of the recursion over dense matrices.
 */
import { numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  type Rule,
} from "../../src/bilevel/index.ts";
import { forward, oneStage, reverse, truncated } from "../../src/bilevel/rules/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import * as dense from "./dense.ts";
import { distance, flat } from "./evaluate.ts";
import { f64 } from "./problems.ts";

/** L = ½wᵀGw − wᵀCλ, E = ½‖w − c‖² + ½‖λ‖², λ split over a tree. */
const problem = bilevel({
  inner: (w: np.Array, l: { head: np.Array; tail: np.Array[] }, d: { g: np.Array; c: np.Array }) =>
    np
      .dot(w, np.dot(d.g, w))
      .mul(0.5)
      .sub(np.dot(w, np.dot(d.c, np.concatenate([l.head, ...l.tail])))),
  outer: (w: np.Array, l: { head: np.Array; tail: np.Array[] }, target: np.Array) =>
    np
      .sum(np.square(w.sub(target)))
      .add(np.sum(np.square(np.concatenate([l.head, ...l.tail]))))
      .mul(0.5),
});

const number = fc.double({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true });
const numbers = (length: number): fc.Arbitrary<number[]> =>
  fc.array(number, { minLength: length, maxLength: length });
const matrix = (rows: number, columns: number): fc.Arbitrary<dense.Matrix> =>
  fc.array(numbers(columns), { minLength: rows, maxLength: rows });
const instance = fc
  .record({ n: fc.integer({ min: 1, max: 4 }), m: fc.integer({ min: 2, max: 5 }) })
  .filter(({ n, m }) => n !== m)
  .chain(({ n, m }) =>
    fc.record({
      factor: matrix(n, n),
      cross: matrix(n, m),
      lambda: numbers(m),
      target: numbers(n),
      start: numbers(n),
      steps: fc.integer({ min: 1, max: 12 }),
      kept: fc.double({ min: 0, max: 1, noNaN: true }),
      mu: fc.constantFrom(0, 0.5),
      slots: fc.integer({ min: 1, max: 5 }),
    }),
  );

test("the explicit rules agree with each other and with dense recursions", async () => {
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(instance, async (p) => {
      const n = p.target.length;
      const s = 0.1;
      const { steps, slots } = p;
      const keep = Math.max(1, Math.round(p.kept * steps));
      const gram = dense.multiply(p.factor, dense.transpose(p.factor));
      const g = dense.add(gram, dense.identity(n, 0.2));
      const dynamics =
        p.mu === 0
          ? gradientDescent({ learningRate: s })
          : momentum({ learningRate: s, momentum: p.mu });
      const vector = (values: number[]): Tensor => f64(Float64Array.from(values), [values.length]);
      const evaluate = async (rule: Rule): Promise<{ gradient: number[]; w: number[] }> => {
        const result = await hypergradient(problem, {
          rule,
          lambda: { head: vector(p.lambda.slice(0, 1)), tail: [vector(p.lambda.slice(1))] },
          w: vector(p.start),
          data: { inner: { g: f64(g), c: f64(p.cross) }, outer: vector(p.target) },
        });
        return { gradient: flat(result.gradient), w: flat(result.w) };
      };

      const exact = await evaluate(reverse({ steps, dynamics }));
      const scale = 1 + Math.hypot(...exact.gradient);
      const ahead = await evaluate(forward({ steps, dynamics }));
      expect(distance(ahead.gradient, exact.gradient)).toBeLessThan(1e-12 * scale);
      const spare = await evaluate(reverse({ steps, dynamics, checkpoints: { slots } }));
      expect(spare).toEqual(exact);
      const all = await evaluate(truncated({ steps, keep: steps, dynamics }));
      expect(all).toEqual(exact);

      // Adjoint of heavy ball, w' = w − s·v', v' = μv + Gw − Cλ, in (w, v): h ← h + sCᵀα_w' − Cᵀα_v', by hand.
      const residual = dense.subtract(exact.w, p.target);
      const partial = (count: number): number[] => {
        const h = [...p.lambda];
        let [aw, av] = [residual, residual.map(() => 0)];
        for (let t = 0; t < count; t++) {
          const u = av.map((v, i) => v - s * aw[i]!);
          dense.apply(dense.transpose(p.cross), u).forEach((v, j) => (h[j]! -= v));
          const gu = dense.apply(g, u);
          aw = aw.map((v, i) => v + gu[i]!);
          av = u.map((v) => p.mu * v);
        }
        return h;
      };
      const some = await evaluate(truncated({ steps, keep, dynamics }));
      expect(distance(some.gradient, partial(keep))).toBeLessThan(1e-12 * scale);
      const one = await evaluate(oneStage({ steps, dynamics }));
      expect(distance(one.gradient, partial(1))).toBeLessThan(1e-12 * scale);
      expect(distance(exact.gradient, partial(steps))).toBeLessThan(1e-12 * scale);
      await disposePrograms(problem);
      rounds++;
    }),
    { numRuns: 12 },
  );
  expect(rounds).toBe(12);
});
