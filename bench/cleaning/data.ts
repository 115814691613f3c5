/** MNIST or Fashion-MNIST as a cleaning task: training rows of which half carry a wrong label, validation and test rows. */
import { join } from "node:path";
import { corruptLabels } from "../../src/automl/cleaning/corrupt.ts";
import { oneHot, type LabelledRows } from "./problem.ts";
import { randomKey, randomStream, readIdx } from "../../src/data/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";

/** Rows with the class indices that their one-hot labels say. */
export interface Rows extends LabelledRows<Tensor> {
  readonly labels: Int32Array;
}

export interface CleaningTask {
  /** With planted errors. */
  readonly training: Rows;
  readonly validation: Rows;
  readonly test: Rows;
  readonly isWrong: Uint8Array;
  readonly realisedRate: number;
}

const classes = 10;

/**
 * Disjoint random rows of the data set's training file, as the published protocol has it. Pixels are divided by 255, then
 * each loses its mean over the training rows: the follower's curvature falls five- to eightfold, and its step may rise.
 */
export async function cleaningTask(
  folder: string,
  name: string,
  options: { training: number; validation: number; test: number; rate: number; seed: number },
): Promise<CleaningTask> {
  const images = await readIdx(join(folder, name, "train-images-idx3-ubyte.gz"));
  const labels = await readIdx(join(folder, name, "train-labels-idx1-ubyte.gz"));
  const [count, height, width] = images.shape as [number, number, number];
  const columns = height * width;
  const stream = randomStream(randomKey(options.seed, "rows"));
  const order = stream.shuffle(Int32Array.from({ length: count }, (_, i) => i));
  const ends = [options.training, options.validation, options.test];
  let start = 0;
  const [training, validation, test] = ends.map((n) => order.subarray(start, (start += n)));
  const mean = new Float64Array(columns);
  for (const row of training!) {
    for (let j = 0; j < columns; j++) {
      mean[j]! += images.data[row * columns + j]! / 255 / options.training;
    }
  }
  const rowsOf = (rows: Int32Array, own: Int32Array): Rows => {
    const x = new Float32Array(rows.length * columns);
    rows.forEach((row, i) => {
      for (let j = 0; j < columns; j++) {
        x[i * columns + j] = images.data[row * columns + j]! / 255 - mean[j]!;
      }
    });
    return {
      x: tensor(x, { shape: [rows.length, columns] }),
      y: oneHot(own, classes),
      labels: own,
    };
  };
  const labelsOf = (rows: Int32Array): Int32Array => Int32Array.from(rows, (r) => labels.data[r]!);
  const corrupted = corruptLabels(labelsOf(training!), {
    classes,
    rate: options.rate,
    seed: options.seed,
  });
  return {
    training: rowsOf(training!, corrupted.labels),
    validation: rowsOf(validation!, labelsOf(validation!)),
    test: rowsOf(test!, labelsOf(test!)),
    isWrong: corrupted.isWrong,
    realisedRate: corrupted.rate,
  };
}
