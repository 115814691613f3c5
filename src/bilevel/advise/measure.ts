/**
 * What there is to know of a problem before a rule is chosen: its sizes, how far the given steps go, where they end from
 * several starts, and the inner objective's curvature at both. A few small programs; nothing is differentiated by λ.
 */
import { tree } from "@jax-js/jax";
import type { SessionOptions, Tensor, Tree } from "../../program/index.ts";
import type { AdviseData } from "./data.ts";
import { curvatureMeter, type Curvature } from "./curvature.ts";
import type { Dynamics } from "../dynamics.ts";
import { findFiniteSum, type FiniteSum } from "./finite-sum.ts";
import { followerRuns, type FollowerRuns, type HostPoint } from "./follower-runs.ts";
import { countElements } from "../../program/internal.ts";
import { measureNoise, type MinibatchNoise } from "./minibatch-noise.ts";
import type { Problem } from "../problem.ts";
import type { Projection } from "../projections.ts";
import type { Tolerance } from "../rule.ts";
import { isFinite, startsAround, widest } from "./starts.ts";

/** What is known of an inner problem. */
export interface MeasuredProblem {
  /** |w|, the numbers in the follower's state, and |λ|. */
  readonly weights: number;
  readonly state: number;
  readonly hyperparameters: number;
  /** Numbers of inner data that `prepare` makes of λ. */
  readonly preparedFloats: number;
  readonly bytesPerFloat: number;
  /** ‖∇_w L‖ after the given steps from the given start. */
  readonly gradientNorm: number;
  /** The same relative to where they began. */
  readonly relativeGradientNorm: number;
  /** Geometric mean of the ratios of successive steps' lengths; below 1 the follower comes to rest. */
  readonly contraction: number;
  /** Whether the steps left the follower a thousandfold farther from rest, or with numbers that are not finite. */
  readonly diverges: boolean;
  /** Curvature of L where the follower went from the given start. */
  readonly atResponse: Curvature;
  /** Curvature of E there. */
  readonly outerAtResponse: Curvature;
  /** Extreme curvatures of L over all starts and ends. */
  readonly anywhere: Curvature;
  /** Largest distance between two ends that are solved. */
  readonly spread: number;
  /** The same over all ends, solved or not, and over their starts. */
  readonly endSpread: number;
  readonly startSpread: number;
  /** How many starts led to a solution, of how many. */
  readonly solvedStarts: number;
  readonly starts: number;
  /** How the gradients of minibatches scatter; absent when all data are given. */
  readonly noise?: MinibatchNoise;
  /** Batches over which both objectives are means; looked for when the steps take longer than the seconds given. */
  readonly finiteSum?: FiniteSum;
  /** Seconds of one inner gradient and of one product on what a step sees, medians of three runs. */
  readonly secondsPerGradient: number;
  readonly secondsPerProduct: number;
}

/** What a measurement is made with. */
export interface MeasureOptions {
  readonly steps: number;
  readonly dynamics: Dynamics;
  readonly projection?: Projection | undefined;
  readonly starts: number;
  readonly seed: number;
  /** Seconds that an estimate should take. */
  readonly seconds: number;
  readonly session: SessionOptions;
}

/** Measures a problem, from first weights that are given. */
export async function measureProblem(
  asked: Problem,
  { lambda, w }: Pick<HostPoint, "lambda" | "w">,
  data: AdviseData,
  options: MeasureOptions,
): Promise<MeasuredProblem> {
  const { session, steps, starts, seed } = options;
  const { problem } = data.whole;
  const point = { lambda, w, data: data.whole.data };
  const follower = await followerRuns(problem, point, options);
  const size = countElements(w);
  const products = size <= ALL_PRODUCTS ? size : SOME_PRODUCTS;
  const place = { lambda, w, inner: point.data.inner };
  const meter = await curvatureMeter(problem, place, { ...session, products });
  const dtype = tree.leaves<Tensor>(point.w)[0]!.dtype;
  try {
    const gradientSeconds: number[] = [];
    const productSeconds: number[] = [];
    const timed = async <T>(seconds: number[], run: () => Promise<T>): Promise<T> => {
      const started = performance.now();
      const result = await run();
      seconds.push((performance.now() - started) / 1000);
      return result;
    };
    await follower.run(point.w);
    const first = await timed(gradientSeconds, () => follower.run(point.w));
    for (let i = 0; i < 2; i++) await timed(gradientSeconds, () => follower.run(point.w));
    const diverges = !(first.end <= 1e3 * Math.max(first.begin, 1e-6)) || !isFinite(first.w);

    const tolerance =
      dtype === "float64"
        ? { relative: 1e-8, absolute: 1e-10 }
        : { relative: 1e-4, absolute: 1e-6 };
    const all = [point.w, ...startsAround(point.w, starts - 1, seed)];
    const ends: End[] = [];
    const curvatures: Curvature[] = [await meter.at(point.w)];
    for (const start of all) {
      const end = await solveFrom(follower.run, start, tolerance, diverges ? 1 : ROUNDS);
      if (isFinite(end.w)) {
        ends.push(end);
        curvatures.push(await timed(productSeconds, () => meter.at(end.w)));
      }
      if (start !== point.w) curvatures.push(await meter.at(start));
    }
    const solved = ends.filter(({ isSolved }) => isSolved);
    const atResponse = curvatures[1] ?? curvatures[0]!;
    const response = ends[0]?.w ?? w;
    const evaluated = { problem: asked, lambda, start: w, response };
    const noise = diverges ? undefined : await measureNoise(evaluated, data, session);
    const gradients = steps * options.dynamics.gradientsPerStep;
    const secondsPerGradient = median(gradientSeconds) / (gradients * data.draws);
    const isSlow = !noise && gradients * secondsPerGradient > options.seconds;
    const finiteSum = isSlow
      ? await findFiniteSum(asked, { lambda, w: response }, data.seen, session)
      : undefined;
    return {
      weights: size,
      state: follower.state,
      hyperparameters: countElements(point.lambda),
      preparedFloats: follower.preparedFloats / data.draws,
      bytesPerFloat: dtype === "float64" ? 8 : 4,
      gradientNorm: first.end,
      relativeGradientNorm: first.begin === 0 ? 0 : first.end / first.begin,
      contraction: first.lastStep === 0 ? 0 : (first.lastStep / first.firstStep) ** (1 / steps),
      diverges,
      atResponse,
      outerAtResponse: await outerCurvature(problem, point, response, { ...session, products }),
      anywhere: hull(curvatures),
      spread: widest(solved.map(({ w }) => w)),
      endSpread: widest(ends.map(({ w }) => w)),
      startSpread: widest(ends.map(({ start }) => start)),
      solvedStarts: solved.length,
      starts: all.length,
      ...(noise && { noise }),
      ...(finiteSum && { finiteSum }),
      secondsPerGradient,
      secondsPerProduct: median(productSeconds) / (meter.products * data.draws),
    };
  } finally {
    await Promise.all([follower.dispose(), meter.dispose()]);
  }
}

/** Up to this many weights the curvatures are exact; beyond it, what a few products show. */
const ALL_PRODUCTS = 256;
const SOME_PRODUCTS = 32;
const ROUNDS = 20;

/** Curvature of E at weights w. */
async function outerCurvature(
  problem: Problem,
  { lambda, data }: HostPoint,
  w: Tree<Tensor>,
  options: SessionOptions & { readonly products: number },
): Promise<Curvature> {
  const swapped = { ...problem, inner: problem.outer };
  const meter = await curvatureMeter(swapped, { lambda, w, inner: data.outer }, options);
  const curvature = await meter.at(w);
  await meter.dispose();
  return curvature;
}

/** Where the follower came to rest, or was left. */
interface End {
  readonly start: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly isSolved: boolean;
}

/** Makes the steps again and again until the inner gradient is small. */
async function solveFrom(
  run: FollowerRuns["run"],
  start: Tree<Tensor>,
  { relative, absolute }: Tolerance,
  rounds: number,
): Promise<End> {
  let result = await run(start);
  const enough = Math.max(relative * result.begin, absolute);
  for (let round = 1; round < rounds; round++) {
    if (!(result.end > enough) || !isFinite(result.w)) break;
    result = await run(result.w);
  }
  return { start, w: result.w, isSolved: result.end <= enough };
}

function hull(all: readonly Curvature[]): Curvature {
  return {
    smallest: Math.min(...all.map(({ smallest }) => smallest)),
    largest: Math.max(...all.map(({ largest }) => largest)),
    isExhausted: all.every(({ isExhausted }) => isExhausted),
  };
}

function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
