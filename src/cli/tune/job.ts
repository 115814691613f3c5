// The computation of `tune`, in a thread of its own.

import type { TuneCheckpoint } from "../../automl/tabular/record.ts";
import { tune } from "../../automl/tabular/tune.ts";
import type { TuneEvent, TuneOptions, TuneResult } from "../../automl/tabular/types.ts";
import type { Table } from "../../data/tables/table.ts";
import type { Job } from "../../study/job.ts";

/** The table and the library's options, as far as they are data. */
export interface TuneJobPlan {
  readonly table: Table;
  readonly options: Omit<TuneOptions, "family" | "signal" | "onEvent" | "onCheckpoint">;
}

/** What it tells; a checkpoint is waited for. */
export type TuneJobEvent =
  TuneEvent | { readonly type: "checkpoint"; readonly state: TuneCheckpoint };

export const job: Job<TuneJobPlan, TuneJobEvent, TuneResult> = async (
  { table, options },
  { signal, tell },
) =>
  tune(table, {
    ...options,
    signal,
    onEvent: (event) => void tell(event),
    onCheckpoint: (state) => tell({ type: "checkpoint", state }),
  });
