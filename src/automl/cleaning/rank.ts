/**
 * Ranks the rows of a table by how likely their label is wrong, by two signs: how improbable the label is to models that
 * were trained without the row, and what the row's own weight does to the cross-validated error, a hypergradient.
 */
import { disposePrograms, hypergradient, type Rule } from "../../bilevel/index.ts";
import { implicit } from "../../bilevel/rules/index.ts";
import {
  DataError,
  encode,
  fitEncoder,
  inferTarget,
  type InferredTarget,
  type Table,
} from "../../data/index.ts";
import { conjugateGradient } from "../../linear/index.ts";
import { compile, tensor, zeros, type Tensor } from "../../program/index.ts";
import { curvatureOf, tabularDynamics } from "../families/linear/problem.ts";
import { corruptLabels } from "./corrupt.ts";
import {
  crossValidationProblem,
  drawFolds,
  foldMask,
  preconditionerOf,
  type CrossValidationProblem,
  type FoldTraining,
} from "./cross-validation.ts";
import { cleaningTarget } from "./target.ts";
import { heldOutProbabilities, suspicion, type HeldOut } from "./suspicion.ts";

/** Options of {@link rankRows}. */
export interface RankOptions {
  /** The column whose labels are doubted: a name, a 1-based position, or "last". */
  readonly target: string;
  /** Two classes or more; default: inferred, and whole numbers of few enough values are classes here. */
  readonly task?: "binary" | "multiclass";
  /** Rows of classes that have fewer rows than this are left out. Default: none are. */
  readonly minClass?: number;
  /** Parts of the rows, each of which is judged by models of the others; 2 … 20. Default 5. */
  readonly folds?: number;
  /** Independent draws of the folds; default 3. */
  readonly repeats?: number;
  /** Seed of the folds and of planted errors. Default 0. */
  readonly seed?: number;
  /** Share of the labels to corrupt first, in (0, 1), to see how many are found. Default: none. */
  readonly plant?: number;
  readonly threads?: number;
  /** Ends the ranking between two evaluations with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called before each evaluation with how many are done and the most there can be. */
  readonly onProgress?: (done: number, most: number) => void;
}

/** Rows with a label, in the table's order; every array has one entry for each. */
export interface Ranking {
  readonly target: string;
  readonly classes: readonly string[];
  /** Index of the row in the table. */
  readonly rows: Int32Array;
  /** Class index of the label that was judged: the table's, or a planted one. */
  readonly labels: Int32Array;
  /** The class that is most probable to models trained without the row. */
  readonly suggested: Int32Array;
  /** Mean probability of the label to these models. */
  readonly probability: Float64Array;
  /**
   * ∂/∂a_i of the cross-validated error, times the number of rows: positive where more weight on the row makes the
   * models worse for others.
   */
  readonly influence: Float32Array;
  /** Mean of the two signs' ranks, from 0 to 1, the most doubtful row. */
  readonly score: Float64Array;
  /** The entries from the most doubtful one down, [n]. */
  readonly order: Int32Array;
  /** 1 where an error was planted; absent when none was asked for. */
  readonly planted?: Uint8Array;
  /** δ, the L2 coefficient that was chosen. */
  readonly decay: number;
  readonly folds: number;
  readonly repeats: number;
  /** Mean held-out log loss at δ. */
  readonly logLoss: number;
  /** ‖∇L‖ over that at zero weights: how well the models were fitted. */
  readonly relativeGradientNorm: number;
  /** What was inferred and left out, one sentence each. */
  readonly notes: readonly string[];
}

/** Coefficients that are tried, on the scale of standardized columns; the first one is where fitting is easiest. */
const decays = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001];
/** The bias has this share of the coefficient, so that the answer stays unique. */
const biasShare = 1e-3;

/**
 * Ranks the rows by the mean of two ranks. The first sign is the probability that models trained without the row give its
 * label; the second one is the {@link Ranking.influence} of its weight. Linear softmax models with one L2 coefficient,
 * chosen by the held-out log loss; all folds are fitted together.
 *
 * @throws DataError for a numeric target, a table that cannot serve, or a `plant` that rounds to no row; RangeError for options out of range.
 */
export async function rankRows(table: Table, options: RankOptions): Promise<Ranking> {
  const { folds = 5, repeats = 3, seed = 0, plant, signal, onProgress } = options;
  checkWhole("folds", folds, 2, 20);
  checkWhole("repeats", repeats, 1, 100);
  const inferred = inferClasses(table, options);
  const { target, rows } = inferred;
  const classes = target.task === "regression" ? [] : target.classes;
  const given = Int32Array.from(rows, (row) => inferred.values[row]!);
  const corrupted =
    plant === undefined
      ? undefined
      : corruptLabels(given, { classes: classes.length, rate: plant, seed });
  const labels = corrupted?.labels ?? given;
  if (corrupted?.rate === 0) {
    throw new DataError(
      `${table.source}: a share of ${plant} is no label of ${rows.length} rows; plant a larger one.`,
    );
  }
  const encoder = fitEncoder(table, target.name, rows);
  const draws = drawFolds(labels, { folds, repeats, seed });
  const data = dataOf(encode(encoder, table, rows), encoder.width, labels, classes.length, {
    draws,
    folds,
  });
  const evaluate = evaluator(data, repeats, options.threads);
  let best: { decay: number; logLoss: number; held: HeldOut; fit: Fit } | undefined;
  let models: Tensor | undefined;
  let worse = 0;
  try {
    for (const [done, decay] of decays.entries()) {
      signal?.throwIfAborted();
      onProgress?.(done, decays.length);
      const fit = await evaluate.at(decay, models);
      models = fit.models;
      const held = heldOutProbabilities(data.x, fit.models, labels, draws, folds);
      if (best === undefined || held.logLoss < best.logLoss) {
        best = { decay, logLoss: held.logLoss, held, fit };
        worse = 0;
      } else if (++worse === 2) break;
    }
  } finally {
    await evaluate.dispose();
  }
  const { decay, logLoss, held, fit } = best!;
  const { probability, suggested } = held;
  const influence = fit.gradient.map((g) => g * rows.length);
  return {
    target: target.name,
    classes,
    rows,
    labels,
    suggested,
    probability,
    influence,
    ...suspicion(probability, influence),
    planted: corrupted?.isWrong,
    decay,
    folds,
    repeats,
    logLoss,
    relativeGradientNorm: fit.relativeGradientNorm,
    notes: inferred.notes,
  };
}

function inferClasses(table: Table, { target: name, task, minClass }: RankOptions): InferredTarget {
  const inferred = inferTarget(table, name, task, cleaningTarget(minClass));
  if (inferred.target.task !== "regression") return inferred;
  throw new DataError(
    `${table.source}, target "${inferred.target.name}": cleaning looks for rows with the wrong class, and this target is a number; choose a column of classes, or make the task multiclass if its numbers are classes.`,
  );
}

/** Data of one shape at every coefficient, as tensors that are made once. */
interface CleaningData {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly training: Tensor;
  readonly heldOut: Tensor;
}

function dataOf(
  matrix: Float32Array,
  columns: number,
  labels: Int32Array,
  classes: number,
  { draws, folds }: { draws: readonly Int32Array[]; folds: number },
): CleaningData {
  const n = labels.length;
  const width = columns + 1;
  const x = new Float32Array(n * width);
  const y = new Float32Array(classes * n);
  for (let i = 0; i < n; i++) {
    x.set(matrix.subarray(i * columns, (i + 1) * columns), i * width);
    x[i * width + columns] = 1;
    y[labels[i]! * n + i] = 1;
  }
  const shape = [draws.length * folds, n];
  return {
    x: tensor(x, { shape: [n, width] }),
    y: tensor(y, { shape: [classes, n] }),
    training: tensor(foldMask(draws, folds, false), { shape }),
    heldOut: tensor(foldMask(draws, folds, true), { shape }),
  };
}

/** The models at one coefficient and the hypergradient there. */
interface Fit {
  readonly models: Tensor;
  readonly gradient: Float32Array;
  readonly relativeGradientNorm: number;
}

/** One compiled program for all coefficients; a fit goes on from the models of the last one. */
function evaluator(
  data: CleaningData,
  repeats: number,
  threads: number | undefined,
): { at(decay: number, start?: Tensor): Promise<Fit>; dispose(): Promise<void> } {
  const problem: CrossValidationProblem = crossValidationProblem(repeats);
  const [n, width] = data.x.shape as [number, number];
  const shape = [data.training.shape[0]!, data.y.shape[0]!, width];
  const ones = tensor(new Float32Array(n).fill(1));
  const rule: Rule = implicit({
    steps: 100,
    dynamics: tabularDynamics(true),
    solver: conjugateGradient({ maxSteps: 50, rtol: 1e-4 }),
  });
  const { x, y } = data;
  // In float64: what it leaves out, the steps overshoot.
  const bound = compile(curvatureOf("multiclass", true, 0), { threads });
  const share = tensor(new Float64Array(n).fill(1 / n), { shape: [1, 1, n] });
  const wide = tensor(x, { dtype: "float64", shape: [n, width] });
  const curvature = bound(wide, share).finally(() => bound.dispose());
  let reference: number | undefined;
  return {
    async at(decay, start = zeros(shape)) {
      const coefficients = new Float32Array(width).fill(decay);
      coefficients[width - 1] = decay * biasShare;
      const preconditioner = preconditionerOf(await curvature, coefficients);
      const inner: FoldTraining<Tensor> = {
        x,
        y,
        mask: data.training,
        decay: tensor(coefficients),
        preconditioner: tensor(preconditioner, { shape: [width, width] }),
      };
      const found = await hypergradient(problem, {
        rule,
        lambda: ones,
        w: { weights: start },
        data: { inner, outer: { x, y, mask: data.heldOut } },
        threads,
      });
      reference ??= found.report.initialInnerGradientNorm;
      return {
        models: found.w.weights as unknown as Tensor,
        gradient: (found.gradient as unknown as Tensor).data as Float32Array,
        relativeGradientNorm: found.report.innerGradientNorm / reference,
      };
    },
    dispose: () => disposePrograms(problem),
  };
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `rankRows: ${name} must be a whole number from ${least} to ${most}; ${value} came.`,
  );
}
