import fc from "fast-check";
import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { compile, tensor, type Tensor } from "../program/index.ts";
import { box, boxWithinL1Ball, nonNegative, simplex, type Projection } from "./projections.ts";

function projector(projection: Projection): (values: number[]) => Promise<number[]> {
  const run = compile((x: np.Array) => projection(x) as np.Array);
  return async (values) => {
    const result = (await run(tensor(values, { dtype: "float64" }))) as unknown as Tensor;
    return [...result.data];
  };
}

const project = (projection: Projection, values: number[]): Promise<number[]> =>
  projector(projection)(values);

const vector = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
  minLength: 4,
  maxLength: 4,
});

/** x is the projection of u onto a convex set exactly when ⟨u − x, z − x⟩ ≤ 0 for every z of the set. */
function expectNearest(u: number[], x: number[], members: number[][]): void {
  for (const z of members) {
    const product = u.reduce((sum, v, i) => sum + (v - x[i]!) * (z[i]! - x[i]!), 0);
    expect(product).toBeLessThan(1e-9);
  }
}

describe("projections onto", () => {
  test("a box", async () => {
    expect(await project(box({ lower: -1, upper: 2 }), [-5, -1, 0.5, 7])).toEqual([-1, -1, 0.5, 2]);
    expect(await project(box({ upper: 2 }), [-5, 7])).toEqual([-5, 2]);
    expect(() => box({ lower: 1, upper: 0 })).toThrow("lower must not exceed upper");
  });

  test("the non-negative numbers", async () => {
    expect(await project(nonNegative(), [-5, 0, 3])).toEqual([0, 0, 3]);
  });

  test("the simplex", async () => {
    const onSimplex = projector(simplex());
    await fc.assert(
      fc.asyncProperty(vector, async (u) => {
        const x = await onSimplex(u);
        expect(Math.abs(x.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-12);
        expect(Math.min(...x)).toBeGreaterThanOrEqual(0);
        const corners = x.map((_, i) => x.map((_, j) => Number(i === j)));
        expectNearest(u, x, corners);
      }),
      { numRuns: 100 },
    );
  });

  test("the box within an l1 ball", async () => {
    const within = projector(boxWithinL1Ball({ radius: 1.5 }));
    await fc.assert(
      fc.asyncProperty(vector, async (u) => {
        const x = await within(u);
        expect(x.reduce((a, b) => a + b)).toBeLessThan(1.5 + 1e-12);
        expect(Math.min(...x)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...x)).toBeLessThanOrEqual(1);
        // Corners of {0 ≤ z ≤ 1, Σz ≤ 1.5}: none, one full, or one full and another half.
        const corners = [x.map(() => 0)];
        x.forEach((_, i) => {
          corners.push(x.map((_, k) => Number(k === i)));
          x.forEach((_, j) => {
            if (j !== i) corners.push(x.map((_, k) => (k === i ? 1 : k === j ? 0.5 : 0)));
          });
        });
        expectNearest(u, x, corners);
      }),
      { numRuns: 100 },
    );
    expect(await project(boxWithinL1Ball({ radius: 5 }), [0.2, 3, -1])).toEqual([0.2, 1, 0]);
  });
});
