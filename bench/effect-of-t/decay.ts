/** How far the hypergradient after T steps is from the exact one at the start, H = I, in float64. */
import { disposePrograms, hypergradient } from "../../src/bilevel/index.ts";
import { zeros, type Tensor } from "../../src/program/index.ts";
import { inputs, type EffectTask } from "./task.ts";
import { learningRateOf, methodFor, settings, startOf, type Steps } from "./run.ts";

/** The hypergradients' errors, and what theory says of their fall. */
export interface Decay {
  /** ‖∇F_T − ∇F‖ / ‖∇F‖ */
  readonly errors: readonly { readonly steps: number; readonly error: number }[];
  /** log q: the weights' slowest mode falls like qᵀ, the hypergradient's error like T·qᵀ. */
  readonly predicted: number;
  /** Slope of log(error / T) by least squares from `fitFrom` on. */
  readonly fitted: number;
  /** Pixels that no training row tells apart from the mean: along them the inner curvature is ρ alone. */
  readonly blankPixels: number;
}

const allSteps = [1, 2, 4, 8, 16, 32, 64, 128, 181, 256, 362, 512];
/** From here on the slowest mode is alone. */
export const fitFrom = 128;

/** Measures the errors on a task in float64. */
export async function measureDecay(task: EffectTask, ridge: number): Promise<Decay> {
  const learningRate = learningRateOf(task, ridge);
  const at = async (steps: Steps): Promise<ArrayLike<number>> => {
    const { problem, rule } = methodFor(steps, ridge, learningRate);
    const found = await hypergradient(problem, {
      rule,
      lambda: startOf(task),
      w: zeros([inputs, task.training.y.shape[1]!], "float64"),
      data: { inner: task.training, outer: task.validation },
      threads: 1,
    });
    await disposePrograms(problem);
    return (found.gradient as Tensor).data;
  };
  const exact = await at("exact");
  const length = Math.sqrt(sumSquares(exact));
  const errors: { steps: number; error: number }[] = [];
  for (const steps of allSteps) {
    const own = await at(steps);
    const difference = Float64Array.from(own, (v, i) => v - exact[i]!);
    errors.push({ steps, error: Math.sqrt(sumSquares(difference)) / length });
  }
  return {
    errors,
    predicted: Math.log(contractionOf(learningRate * ridge, settings.momentum)),
    fitted: slope(
      errors
        .filter(({ steps }) => steps >= fitFrom)
        .map((e) => [e.steps, Math.log(e.error / e.steps)]),
    ),
    blankPixels: blankPixels(task.training.x),
  };
}

/** The larger root of z² − (1 + μ − sα)z + μ, in modulus: what a step of heavy ball makes of a mode with curvature α. */
function contractionOf(relativeStep: number, mu: number): number {
  const half = (1 + mu - relativeStep) / 2;
  const discriminant = half * half - mu;
  return discriminant > 0 ? half + Math.sqrt(discriminant) : Math.sqrt(mu);
}

/** Of a least-squares line. */
export function slope(points: readonly (readonly number[])[]): number {
  const mean = (k: number): number => points.reduce((sum, p) => sum + p[k]!, 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x! - mx) * (y! - my), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x! - mx) ** 2, 0);
}

function blankPixels({ data, shape }: Tensor): number {
  const [rows] = shape as [number, number];
  return Array.from({ length: inputs }, (_, j) =>
    Array.from({ length: rows }, (_, i) => data[i * inputs + j]! === data[j]!).every(Boolean),
  ).filter(Boolean).length;
}

function sumSquares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}
