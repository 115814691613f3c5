// The computation of `clean`, in a thread of its own.

import { rankRows, type Ranking } from "../../automl/cleaning/rank.ts";
import type { Table } from "../../data/tables/table.ts";
import type { Job } from "../../study/job.ts";

/** The table and the library's options, as far as they are data. */
export interface CleanJobPlan {
  readonly table: Table;
  readonly options: Omit<Parameters<typeof rankRows>[1], "signal" | "onProgress">;
}

/** How far it is. */
export interface CleanJobEvent {
  readonly done: number;
  readonly most: number;
}

export const job: Job<CleanJobPlan, CleanJobEvent, Ranking> = async (
  { table, options },
  { signal, tell },
) => rankRows(table, { ...options, signal, onProgress: (done, most) => void tell({ done, most }) });
