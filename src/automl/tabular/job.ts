/** What the methods of a run share: the table, its splits, and programs that are compiled once per shape. */
import type { Table } from "../../data/index.ts";
import { compile } from "../../program/index.ts";
import { tensor, type Tensor } from "../../program/tensors/tensor.ts";
import { fitPrograms, type Fit } from "../families/linear/fit.ts";
import type { OpenSplit } from "../families/linear/open-split.ts";
import { curvatureOf, isDense } from "../families/linear/problem.ts";
import {
  encodeRows,
  toDesign,
  trainingRowsOf,
  trainingShares,
  type EncodingPlan,
  type Splits,
} from "./splits.ts";
import type { TuneOptions } from "./types.ts";

/** What is open during a run. */
export interface Job {
  table: Table;
  options: TuneOptions;
  splits: Splits;
  /** Encodes a split for training. */
  open(repeat: number): Promise<OpenSplit>;
  /** One follower on all the rows, with ln of the coefficients of the encoder's inputs. */
  refit(plan: EncodingPlan, rows: Int32Array, logCoefficient: ArrayLike<number>): Promise<Fit>;
  /** The compiled `curvatureOf` of the search. */
  curvature(x: Tensor, share: Tensor): Promise<Tensor>;
  /** Whether the search's preconditioners are full matrices. */
  dense: boolean;
  dispose(): Promise<void>;
}

/** Opens a job; programs are compiled when a split first needs them. */
export function openJob(table: Table, options: TuneOptions, splits: Splits): Job {
  const { width, inputs, plans, target } = splits;
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const followers = plans[0]!.trains.length;
  const dense = isDense(width, followers);
  const curvature = compile(curvatureOf(target.task, dense), {
    device: options.device ?? "cpu",
    ...threads,
  });
  const programs = fitPrograms(target.task, threads);
  return {
    table,
    options,
    splits,
    dense,
    curvature,
    open: async (repeat) => {
      const plan = plans[repeat]!;
      const { x, y } = toDesign(encodeRows(table, plan, plan.rows), plan, width);
      const shares = trainingShares(plan);
      const share = tensor(shares, { shape: [followers, 1, plan.rows.length] });
      const { group } = plan.encoder;
      const fitter = await programs.open({ x, y, share, group });
      return { plan, inputs, x, y, trainingRows: trainingRowsOf(plan), fitter };
    },
    refit: async (plan, rows, logCoefficient) => {
      const { x, y } = toDesign(encodeRows(table, plan, rows), plan, plan.encoder.width);
      const count = rows.length;
      const share = tensor(new Float64Array(count).fill(1 / count), { shape: [1, 1, count] });
      const { group } = plan.encoder;
      const fitter = await programs.open({ x, y, share, group });
      return fitter.fit(logCoefficient);
    },
    dispose: async () => {
      await Promise.all([curvature.dispose(), programs.dispose()]);
    },
  };
}
