/** Laws of the solvers on random well-conditioned systems. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  conjugateGradient,
  conjugateGradientNormal,
  dense,
  fixedPoint,
  minres,
  neumann,
} from "../../src/linear/index.ts";
import { distance, multiply, solveSystem, symmetricWith } from "./systems.ts";

const hundredths = fc.integer({ min: -100, max: 100 }).map((v) => v / 100);

/** A size, eigenvalues in [0.2, 2], their directions, and a right-hand side. */
const system = fc
  .integer({ min: 1, max: 7 })
  .chain((n) =>
    fc.record({
      eigenvalues: fc.array(fc.double({ min: 0.2, max: 2, noNaN: true }), {
        minLength: n,
        maxLength: n,
      }),
      seed: fc.integer({ min: 0, max: 1000 }),
      b: fc.array(hundredths, { minLength: n, maxLength: n }),
      steps: fc.integer({ min: 1, max: 12 }),
    }),
  )
  .map(({ eigenvalues, ...rest }) => ({
    ...rest,
    a: symmetricWith(eigenvalues, rest.seed),
    smallest: Math.min(...eigenvalues),
    largest: Math.max(...eigenvalues),
  }));

const norm = (x: readonly number[]): number => Math.hypot(...x);

test("n steps of conjugate gradients, of MINRES and of the normal equations reach rounding", async () => {
  await fc.assert(
    fc.asyncProperty(system, async ({ a, b, smallest, largest }) => {
      const n = b.length;
      const exact = await solveSystem(dense(), a, b);
      for (const solver of [conjugateGradient({ maxSteps: n }), minres({ maxSteps: n })]) {
        const answer = await solveSystem(solver, a, b);
        expect(distance(answer.q, exact.q)).toBeLessThanOrEqual(1e-9 * norm(b));
        if (answer.steps > 0) {
          expect(answer.smallestCurvature).toBeGreaterThanOrEqual(smallest * (1 - 1e-9));
          expect(answer.largestCurvature).toBeLessThanOrEqual(largest * (1 + 1e-9));
        }
      }
      const normal = await solveSystem(conjugateGradientNormal({ maxSteps: 2 * n }), a, b);
      expect(distance(normal.q, exact.q)).toBeLessThanOrEqual(1e-7 * norm(b));
    }),
    { numRuns: 20, seed: 3 },
  );
});

test("J terms of Neumann's series stay within (1 − λ_min·η)ᴶ, and the residual is what is reported", async () => {
  await fc.assert(
    fc.asyncProperty(system, async ({ a, b, smallest, steps }) => {
      const answer = await solveSystem(neumann({ step: 0.5, maxSteps: steps, rtol: 0 }), a, b);
      const bound = (1 - 0.5 * smallest) ** steps * norm(b);
      expect(answer.residualNorm).toBeLessThanOrEqual(bound * (1 + 1e-9) + 1e-15);
      const residual = multiply(a, answer.q).map((v, i) => b[i]! - v);
      expect(Math.abs(norm(residual) - answer.residualNorm)).toBeLessThanOrEqual(1e-14);
    }),
    { numRuns: 20, seed: 5 },
  );
});

test("a solve of k steps, continued for k more, is a series of 2k", async () => {
  await fc.assert(
    fc.asyncProperty(system, async ({ a, b, steps }) => {
      for (const make of [
        (maxSteps: number) => neumann({ step: 0.4, maxSteps, rtol: 0 }),
        (maxSteps: number) => fixedPoint({ maxSteps, rtol: 0 }),
      ]) {
        const half = await solveSystem(make(steps), a, b);
        const on = await solveSystem(make(steps), a, b, { start: half.q });
        const whole = await solveSystem(make(2 * steps), a, b);
        expect(distance(on.q, whole.q)).toBeLessThan(1e-12);
      }
    }),
    { numRuns: 12, seed: 7 },
  );
});
