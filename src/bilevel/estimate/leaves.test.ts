import { type numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import { tensor } from "../../program/index.ts";
import { gradientDescent } from "../optimizers/gradient-descent.ts";
import { hypergradient } from "../evaluate/hypergradient.ts";
import { leafPaths } from "./leaves.ts";
import { bilevel } from "../problem.ts";
import { reverse } from "../rules/explicit/reverse.ts";

test("leaf paths read like the code that wrote the tree", () => {
  expect(leafPaths("w", { a: 1, b: [2, { c: 3 }] })).toEqual(["w.a", "w.b[0]", "w.b[1].c"]);
  expect(leafPaths("lambda", 1)).toEqual(["lambda"]);
});

test("a constant derivative has the argument's type, float64 included", async () => {
  // E = λ + w, L = ½w² − λw: w_T = λ(1 − ½^T) from 0, so dF/dλ = 2 − ½^T.
  const problem = bilevel({
    inner: (w: np.Array, lambda: np.Array) => w.mul(w).mul(0.5).sub(lambda.mul(w)),
    outer: (w: np.Array, lambda: np.Array) => lambda.add(w),
  });
  const { gradient } = await hypergradient(problem, {
    rule: reverse({ steps: 5, dynamics: gradientDescent({ learningRate: 0.5 }) }),
    lambda: tensor(3, { dtype: "float64" }),
    w: tensor(0, { dtype: "float64" }),
    data: { inner: [], outer: [] },
  });
  expect(gradient.dtype).toBe("float64");
  expect(gradient.item()).toBeCloseTo(2 - 0.5 ** 5, 14);
});
