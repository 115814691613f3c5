/**
 * 100 Omniglot characters as a bilevel problem: a linear map H of the pixels is the hyperparameter, and ridge regression on
 * the mapped pixels is the follower, as in Franceschi et al., ICML 2018, section 5.1.
 *
 *     L(w, H) = ½‖XHw − Y‖² + ½ρ‖w‖² on training rows,   E(w, H) = ½‖XHw − Y‖² / n on validation rows
 */
import { lax, numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import {
  imageTensor,
  randomKey,
  randomStream,
  readOmniglotCharacters,
  rotations,
  type ImageSet,
} from "../../src/data/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";

/** Rows with their classes, one-hot. */
export type Rows<T> = {
  /** [n, 256], pixels. */
  readonly x: T;
  /** [n, 100] */
  readonly y: T;
};

/** One draw of classes and drawings. */
export interface EffectTask {
  readonly training: Rows<Tensor>;
  readonly validation: Rows<Tensor>;
  readonly test: Rows<Tensor>;
}

/** Sides of an image. */
const side = 16;
/** Pixels of an image. */
export const inputs: number = side * side;
const classes = 100;
/** A character has 20 drawings. */
const [trainingShots, validationShots, testShots] = [3, 3, 14];

/** All characters, turned by 0, 90, 180 and 270 degrees to classes of their own. */
export async function turnedCharacters(): Promise<ImageSet> {
  return rotations(await readOmniglotCharacters({ size: side }));
}

/**
 * Draws classes and the drawings of each part. Pixels are centred by the training rows' means and divided by one number, so
 * that a training row's mean square length is 1.
 */
export function drawTask(set: ImageSet, seed: number, dtype: "float32" | "float64"): EffectTask {
  const stream = randomStream(randomKey(seed, "effect of T"));
  const drawn = stream.shuffle(Int32Array.from(set.classes, (_, i) => i)).subarray(0, classes);
  const images: [training: number[], validation: number[], test: number[]] = [[], [], []];
  for (const i of drawn) {
    const all = Int32Array.from({ length: 20 }, (_, k) => set.offsets[i]! + k);
    const own = [...stream.shuffle(all)];
    images[0].push(...own.splice(0, trainingShots));
    images[1].push(...own.splice(0, validationShots));
    images[2].push(...own.splice(0, testShots));
  }
  const [training, validation, test] = images.map((part) => imageTensor(set, part).data);
  const mean = Array.from({ length: inputs }, (_, j) => meanOf(training!, j));
  const centred = (data: ArrayLike<number>): Float64Array =>
    Float64Array.from(data, (v, i) => v - mean[i % inputs]!);
  const first = centred(training!);
  const squares = first.reduce((sum, v) => sum + v * v, 0);
  const scale = Math.sqrt(squares / (classes * trainingShots));
  const rows = (data: ArrayLike<number>, shots: number): Rows<Tensor> => {
    const n = classes * shots;
    const y = Float64Array.from({ length: n * classes }, (_, i) =>
      Number(Math.floor(Math.floor(i / classes) / shots) === i % classes),
    );
    return {
      x: tensor(
        centred(data).map((v) => v / scale),
        { shape: [n, inputs], dtype },
      ),
      y: tensor(y, { shape: [n, classes], dtype }),
    };
  };
  return {
    training: rows(training!, trainingShots),
    validation: rows(validation!, validationShots),
    test: rows(test!, testShots),
  };
}

function meanOf(data: ArrayLike<number>, column: number): number {
  let sum = 0;
  for (let i = column; i < data.length; i += inputs) sum += data[i]!;
  return (sum * inputs) / data.length;
}

/** The problem whose follower descends; w [features, 100], H [256, features]. */
export function descentProblem(ridge: number): Problem {
  return bilevel({
    prepare: (h: np.Array, { x, y }: Rows<np.Array>) => ({ x: np.matmul(x, h), y }),
    inner: (w: np.Array, _h: np.Array, { x, y }: Rows<np.Array>) =>
      np
        .sum(np.square(np.matmul(x, w).sub(y)))
        .add(np.sum(np.square(w)).mul(ridge))
        .mul(0.5),
    outer: (w: np.Array, _h: np.Array, { x, y }: Rows<np.Array>) =>
      np.sum(np.square(np.matmul(x, w).sub(y))).div(2 * y.shape[0]!),
  });
}

/** The same problem with the follower's response in closed form, w(H) = (FᵀF + ρI)⁻¹FᵀY with F = XH. */
export function exactProblem(ridge: number): Problem {
  return bilevel({
    ...descentProblem(ridge),
    init: (_h: np.Array, rows: Rows<np.Array>) => ridgeResponse(rows, ridge),
  });
}

/** (XᵀX + ρI)⁻¹XᵀY through a Cholesky factor. */
export function ridgeResponse({ x, y }: Rows<np.Array>, ridge: number): np.Array {
  const n = x.shape[1]!;
  const gram = np.matmul(x.transpose(), x).add(np.eye(n, undefined, { dtype: x.dtype }).mul(ridge));
  const factor = np.linalg.cholesky(gram);
  const options = { leftSide: true, lower: true };
  const half = lax.linalg.triangularSolve(factor, np.matmul(x.transpose(), y), options);
  return lax.linalg.triangularSolve(factor, half, { ...options, transposeA: true });
}
