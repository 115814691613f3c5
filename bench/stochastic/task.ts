/** A bilevel problem on a finite sum whose leader's gradient is known, so that stochastic rules can be judged by it. */
import type { Problem } from "../../src/bilevel/index.ts";
import { integers, type RandomKey, randomKey } from "../../src/random/index.ts";
import type { Tensor } from "../../src/program/index.ts";

/** A problem, where it starts, and how to judge a λ. */
export interface Task {
  readonly title: string;
  /** Of the chart, in docs/results/. */
  readonly file: string;
  readonly problem: Problem;
  readonly lambda: Tensor;
  readonly w: Tensor;
  /** All the examples; leaves share their first axis. */
  readonly data: { readonly inner: Examples; readonly outer: Examples };
  readonly examples: { readonly inner: number; readonly outer: number };
  /** Examples in a batch of either level. */
  readonly size: number;
  /** Calls of a batch's derivative that a run may make. */
  readonly budget: number;
  /** ‖∇F(λ)‖², the leader's gradient at the inner solution; on the host, with other code than the rules'. */
  gradientNorm(lambda: readonly number[]): number;
}

/** An object of arrays that share their first axis. */
export type Examples = Readonly<Record<string, Tensor>>;

/** Standard normal numbers of a seed and a name (Box and Muller). */
export function normals(seed: number, name: string, count: number): Float64Array {
  const uniform = uniforms(randomKey(seed, name), 2 * count);
  return Float64Array.from(
    { length: count },
    (_, i) =>
      Math.sqrt(-2 * Math.log(uniform[2 * i]!)) * Math.cos(2 * Math.PI * uniform[2 * i + 1]!),
  );
}

/** In (0, 1). */
export function uniforms(key: RandomKey, count: number): Float64Array {
  return Float64Array.from(integers(key, count, 2 ** 31), (x) => (x + 0.5) / 2 ** 31);
}
