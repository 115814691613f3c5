/**
 * Random quadratic problems, whose T-step hypergradient a forward recursion over dense matrices gives exactly:
 * Z_t = A Z_{t−1} + B, h = ∇_λ E + Z_Tᵀ ∇_w E. The follower has n weights, the leader m ≠ n hyperparameters.
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
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import * as dense from "./dense.ts";
import { f64 } from "./problems.ts";

const number = fc.double({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true });
const matrix = (rows: number, columns: number): fc.Arbitrary<dense.Matrix> =>
  fc.array(fc.array(number, { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });

const instance = fc
  .record({ n: fc.integer({ min: 1, max: 4 }), m: fc.integer({ min: 1, max: 5 }) })
  .filter(({ n, m }) => n !== m)
  .chain(({ n, m }) =>
    fc.record({
      factor: matrix(n, n),
      cross: matrix(n, m),
      lambda: matrix(1, m),
      target: matrix(1, n),
      start: matrix(1, n),
      steps: fc.integer({ min: 1, max: 12 }),
      mu: fc.constantFrom(0, 0.3, 0.7),
      checkpoints: fc.constantFrom(undefined, "sqrt" as const, 1, 3),
    }),
  );

/** L = ½wᵀGw − wᵀCλ, E = ½‖w − c‖² + ½‖λ‖², with the follower's weights split over a tree. */
const problem = bilevel({
  inner: (w: Weights, lambda: Leaders, d: { g: np.Array; c: np.Array }) => {
    const y = joined(w);
    const x = np.concatenate([lambda.head, ...lambda.tail]);
    return np
      .dot(y, np.dot(d.g, y))
      .mul(0.5)
      .sub(np.dot(y, np.dot(d.c, x)));
  },
  outer: (w: Weights, lambda: Leaders, target: np.Array) =>
    np
      .sum(np.square(joined(w).sub(target)))
      .add(np.sum(np.square(lambda.head)))
      .add(lambda.tail.reduce((sum, x) => sum.add(np.sum(np.square(x))), np.zeros([])))
      .mul(0.5),
});
interface Weights {
  first: np.Array;
  rest: { others: np.Array }[];
}
interface Leaders {
  head: np.Array;
  tail: np.Array[];
}
const joined = (w: Weights): np.Array =>
  np.concatenate([w.first, ...w.rest.map(({ others }) => others)]);

test("reverse = forward recursion, on trees of different shapes, with and without checkpoints", async () => {
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(instance, async (p) => {
      const [n, m] = [p.cross.length, p.cross[0]!.length];
      const g = dense.add(
        dense.multiply(p.factor, dense.transpose(p.factor)),
        dense.identity(n, 0.2),
      );
      const [lambda, target, start] = [p.lambda[0]!, p.target[0]!, p.start[0]!];
      const s = 0.1;

      // Heavy ball on (w, v): v' = μv + Gw − Cλ, w' = w − s·v'.
      let [w, v] = [start, start.map(() => 0)];
      let zw = dense.add(p.cross, p.cross, -1);
      let zv = zw;
      for (let t = 0; t < p.steps; t++) {
        const gradient = dense.subtract(dense.apply(g, w), dense.apply(p.cross, lambda));
        v = v.map((x, i) => p.mu * x + gradient[i]!);
        w = w.map((x, i) => x - s * v[i]!);
        const cross = dense.add(dense.multiply(g, zw), p.cross, -1);
        zv = zv.map((row, i) => row.map((x, j) => p.mu * x + cross[i]![j]!));
        zw = dense.add(zw, zv, -s);
      }
      const residual = dense.subtract(w, target);
      const expected = dense.apply(dense.transpose(zw), residual).map((x, j) => x + lambda[j]!);

      const dynamics =
        p.mu === 0
          ? gradientDescent({ learningRate: s })
          : momentum({ learningRate: s, momentum: p.mu });
      const { checkpoints } = p;
      const rule = reverse({ steps: p.steps, dynamics, ...(checkpoints && { checkpoints }) });
      const vector = (values: number[]): Tensor => f64(Float64Array.from(values), [values.length]);
      const result = await hypergradient(problem, {
        rule,
        lambda: { head: vector(lambda.slice(0, 1)), tail: m > 1 ? [vector(lambda.slice(1))] : [] },
        w: {
          first: vector(start.slice(0, 1)),
          rest: n > 1 ? [{ others: vector(start.slice(1)) }] : [],
        },
        data: { inner: { g: f64(g), c: f64(p.cross) }, outer: vector(target) },
      });
      const { head, tail } = result.gradient as unknown as { head: Tensor; tail: Tensor[] };
      const actual = [head, ...tail].flatMap((leaf) => [...leaf.data]);
      expect(actual.length).toBe(m);
      for (const [i, value] of expected.entries()) {
        expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-11 * (1 + Math.abs(value)));
      }
      await disposePrograms(problem);
      rounds++;
    }),
    { numRuns: 25 },
  );
  expect(rounds).toBe(25);
});
