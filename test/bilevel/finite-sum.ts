/** A scalar bilevel problem that is a finite sum, for rules that draw their own batches. */
import { numpy as np } from "@jax-js/jax";
import {
  bilevel,
  gradientDescent,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { f64 } from "./problems.ts";
import { leavesOf } from "./descend.ts";

/** L = mean ½a_i z² − b_i xz, E = mean ½(z − c_j)² + 0.05x². */
export const scalarSum: Problem = bilevel({
  inner: (z: np.Array, x: np.Array, d: { a: np.Array; b: np.Array }) =>
    np.mean(d.a.mul(0.5).mul(np.square(z)).sub(d.b.mul(x).mul(z))),
  outer: (z: np.Array, x: np.Array, d: { c: np.Array }) =>
    np
      .mean(np.square(z.sub(d.c)))
      .mul(0.5)
      .add(np.square(x).mul(0.05)),
});

/** Six inner terms of means ā = 2 and b̄ = 5/6, and four outer ones of mean c̄ = 1. */
export const terms: { a: number[]; b: number[]; c: number[] } = {
  a: [1, 1.5, 2, 2.5, 3, 2],
  b: [0.5, 1.5, 1.2, 0.3, 0.8, 0.7],
  c: [0.4, 1.6, 1.2, 0.8],
};

/** A point of {@link scalarSum} with all the terms. */
export const scalarPoint: {
  lambda: ReturnType<typeof f64>;
  w: ReturnType<typeof f64>;
  data: {
    inner: Record<"a" | "b", ReturnType<typeof f64>>;
    outer: Record<"c", ReturnType<typeof f64>>;
  };
} = {
  lambda: f64(0.3),
  w: f64(0.4),
  data: { inner: { a: f64(terms.a), b: f64(terms.b) }, outer: { c: f64(terms.c) } },
};

/** x at each step of a leader with rate 0.2. */
export async function scalarPath(rule: Rule, steps: number): Promise<number[]> {
  const run = solve(scalarSum, {
    ...scalarPoint,
    rule,
    optimizer: gradientDescent({ learningRate: 0.2 }),
    budget: { steps },
  });
  const xs: number[] = [];
  for await (const { lambda } of run) xs.push(leavesOf(lambda)[0]!);
  const { status, sentence } = await run;
  if (status !== "max-steps") throw new Error(`${rule.name}: ${sentence}`);
  return xs;
}

/** The checkpoint of a run that was stopped after step 6 and resumed, and that of one that was not. */
export async function stoppedAndWhole(
  rule: Rule,
): Promise<[stopped: Uint8Array, whole: Uint8Array]> {
  const run = async (
    change: { resume?: Uint8Array },
    stopAfter = Infinity,
  ): Promise<Uint8Array> => {
    let bytes = new Uint8Array();
    const steps = solve(scalarSum, {
      ...scalarPoint,
      rule,
      optimizer: gradientDescent({ learningRate: 0.2 }),
      budget: { steps: 14 },
      checkpoint: { everySteps: 100, save: (saved) => void (bytes = Uint8Array.from(saved)) },
      ...change,
    });
    for await (const { step } of steps) if (step === stopAfter) break;
    await steps;
    return bytes;
  };
  return [await run({ resume: await run({}, 6) }), await run({})];
}
