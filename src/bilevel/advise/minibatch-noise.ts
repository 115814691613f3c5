/**
 * The noise of minibatch gradients: how far the gradient of one minibatch scatters about that of all the data.
 *
 *     g_b: gradient of the b-th of B independent minibatches,   ḡ = (1/B) Σ_b g_b
 *     variance       S = Σ_b ‖g_b − ḡ‖² / (B − 1),   whose mean is tr Σ, Σ the covariance of g_b
 *     squared norm   ‖ḡ‖² − S/B,                     whose mean is ‖g‖², g the mean of g_b
 *     noise scale    tr Σ / ‖g‖²
 */
import {
  Program,
  type SessionOptions,
  type Tensor,
  type Tree,
  type Value,
} from "../../program/index.ts";
import { callTree } from "../../program/internal.ts";
import { ravel } from "../../linear/internal.ts";
import type { AdviseData } from "./data.ts";
import { curvatureMeter } from "./curvature.ts";
import { innerGradient } from "../dynamics.ts";
import { prepareData } from "../estimate/prepare.ts";
import type { Arrays, Problem } from "../problem.ts";

/** How one objective's gradient ∇_w scatters from minibatch to minibatch, at one point. */
export interface GradientNoise {
  /** Unbiased estimate of tr Σ, the variance of a minibatch's gradient summed over the weights. */
  readonly variance: number;
  /** Unbiased estimate of ‖g‖², the squared norm of the mean gradient; by chance it may be negative. */
  readonly squaredNorm: number;
  /**
   * tr Σ/‖g‖², the quotient of the two: above 1, one minibatch shows more noise than gradient. Times the size of a minibatch it
   * is the simple noise scale of the source. Infinite where the gradient cannot be told from 0.
   */
  readonly scale: number;
}

/** The noise at the follower's first weights and where it went. */
export interface NoiseAlong {
  readonly start: GradientNoise;
  readonly response: GradientNoise;
}

/** What minibatches do to a problem's gradients. */
export interface MinibatchNoise {
  /** B, the minibatches that were seen. */
  readonly batches: number;
  /** Of ∇_w L; absent when the inner data are not sampled. */
  readonly inner?: NoiseAlong;
  /** Of ∇_w E; absent when the outer data are not sampled. */
  readonly outer?: NoiseAlong;
  /** Largest curvature of L on one of the minibatches, where the follower went; bounds the rates. */
  readonly largestCurvature: number;
}

/**
 * Estimates the noise from the gradients of B ≥ 2 independent minibatches.
 *
 * @see McCandlish, Kaplan, Amodei, "An empirical model of large-batch training", 2018, appendix A.1.
 */
export function noiseOf(gradients: readonly ArrayLike<number>[]): GradientNoise {
  const batches = gradients.length;
  let variance = 0;
  let meanSquares = 0;
  for (let i = 0; i < gradients[0]!.length; i++) {
    const mean = gradients.reduce((sum, g) => sum + g[i]!, 0) / batches;
    meanSquares += mean ** 2;
    for (const g of gradients) variance += (g[i]! - mean) ** 2 / (batches - 1);
  }
  const squaredNorm = meanSquares - variance / batches;
  const scale = variance === 0 ? 0 : squaredNorm > 0 ? variance / squaredNorm : Infinity;
  return { variance, squaredNorm, scale };
}

/** The noise of the levels that are sampled; undefined when none is. */
export async function measureNoise(
  at: {
    readonly problem: Problem;
    readonly lambda: Tree<Tensor>;
    readonly start: Tree<Tensor>;
    readonly response: Tree<Tensor>;
  },
  { further }: Pick<AdviseData, "further">,
  session: SessionOptions,
): Promise<MinibatchNoise | undefined> {
  const batches = (further.inner ?? further.outer)?.length;
  if (batches === undefined) return undefined;
  const { problem, lambda, start, response } = at;
  const along = async (
    level: "inner" | "outer",
  ): Promise<Pick<MinibatchNoise, "inner" | "outer">> => {
    const drawn = further[level];
    if (drawn === undefined) return {};
    const meter = await gradientMeter(
      problem,
      level,
      { lambda, w: start, data: drawn[0]! },
      session,
    );
    const noiseAt = async (w: Tree<Tensor>): Promise<GradientNoise> => {
      const gradients: ArrayLike<number>[] = [];
      for (const data of drawn) gradients.push(await meter.at(w, data));
      return noiseOf(gradients);
    };
    const noise = { start: await noiseAt(start), response: await noiseAt(response) };
    await meter.dispose();
    return { [level]: noise };
  };
  return {
    batches,
    ...(await along("inner")),
    ...(await along("outer")),
    largestCurvature: await largestCurvature(
      problem,
      { lambda, w: response },
      further.inner ?? [],
      session,
    ),
  };
}

/** Of L on any of the minibatches; 0 for none. */
export async function largestCurvature(
  problem: Problem,
  { lambda, w }: { readonly lambda: Tree<Tensor>; readonly w: Tree<Tensor> },
  batches: readonly Tree<Tensor>[],
  session: SessionOptions,
): Promise<number> {
  if (batches.length === 0) return 0;
  const options = { ...session, products: SOME_PRODUCTS };
  const meter = await curvatureMeter(problem, { lambda, w, inner: batches[0]! }, options);
  let largest = 0;
  for (const batch of batches) {
    largest = Math.max(largest, (await meter.at(w, batch)).largest);
  }
  await meter.dispose();
  return largest;
}

const SOME_PRODUCTS = 32;

/** ∇_w of one objective on any data of the same shapes, compiled. */
export interface GradientMeter {
  /** All leaves' numbers, in the order of `tree.leaves`. */
  at(w: Tree<Tensor>, data: Tree<Tensor>): Promise<ArrayLike<number>>;
  dispose(): Promise<void>;
}

/** Compiles ∇_w L or ∇_w E. */
export async function gradientMeter(
  problem: Problem,
  level: "inner" | "outer",
  point: {
    readonly lambda: Tree<Tensor>;
    readonly w: Tree<Tensor>;
    readonly data: Tree<Tensor>;
  },
  session: SessionOptions,
): Promise<GradientMeter> {
  const program = new Program(`gradient of the ${level} objective`);
  const declare = (name: keyof typeof point): Tree<Value> =>
    program.input(name, point[name] as never);
  const [lambda, w, raw] = [declare("lambda"), declare("w"), declare("data")];
  const { data } = prepareData(program, problem, lambda, raw);
  const gradient = (w: Arrays, lambda: Arrays, data: Arrays): Arrays =>
    ravel(innerGradient(problem[level], w, lambda, data));
  program.output("gradient", callTree(program, gradient, w, lambda, data));
  const executable = await program.compile(session);
  return {
    at: async (w, data) => {
      const { gradient } = await executable.run({ lambda: point.lambda, w, data });
      return (gradient as Tensor).data as ArrayLike<number>;
    },
    dispose: () => executable.dispose(),
  };
}
