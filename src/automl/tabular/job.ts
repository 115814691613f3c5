/** What the methods of a run share: the table, its splits, and programs that are compiled once per shape. */
import type { Table } from "../../data/index.ts";
import { compile } from "../../program/index.ts";
import type { Tensor } from "../../program/tensor.ts";
import type { OpenSplit } from "./baselines.ts";
import { compileFit, type Fitter } from "./fit.ts";
import { curvatureOf, type TrainingData } from "./problem.ts";
import { encodeRows, groupsOf, toRows, type Splits } from "./splits.ts";
import type { TuneOptions } from "./types.ts";

/** What is open during a run. */
export interface Job {
  table: Table;
  options: TuneOptions;
  splits: Splits;
  /** Encodes a split for training on its training rows, or on `rows`. */
  open(repeat: number, rows?: Int32Array): Promise<OpenSplit>;
  dispose(): Promise<void>;
}

/** Opens a job; programs are compiled when a split first needs them. */
export function openJob(table: Table, options: TuneOptions, splits: Splits): Job {
  const { width, inputs, plans, target } = splits;
  const session = {
    device: options.device ?? "cpu",
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  } as const;
  const curvature = compile(curvatureOf(target.task), session);
  const fitters = new Map<number, Promise<Fitter>>();
  return {
    table,
    options,
    splits,
    open: async (repeat, rows) => {
      const plan = plans[repeat]!;
      const encoded = encodeRows(table, plan, rows ?? plan.rows.train);
      const { x, y } = toRows(encoded, plan, width);
      const groups = groupsOf(plan.encoder, inputs, width);
      const training: TrainingData<Tensor> = { x, y, groups, curvature: await curvature(x) };
      let fitter = fitters.get(encoded.count);
      if (fitter === undefined) {
        fitter = compileFit(target.task, training, session);
        fitters.set(encoded.count, fitter);
      }
      const validation = encodeRows(table, plan, plan.rows.validation);
      return { plan, inputs, training, validation, fitter: await fitter };
    },
    dispose: async () => {
      await curvature.dispose();
      for (const fitter of await Promise.allSettled(fitters.values())) {
        if (fitter.status === "fulfilled") await fitter.value.dispose();
      }
    },
  };
}
