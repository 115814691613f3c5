// The computation of `clean`, in a thread of its own.

import { rankRows, type Ranking } from "../../automl/cleaning/rank.ts";
import type { Table } from "../../data/tables/table.ts";
import { formatCount } from "../../data/readable-numbers.ts";
import type { Job } from "../../study/job.ts";
import type { RunHappening } from "../../study/run-event.ts";

/** The table and the library's options, as far as they are data. */
export interface CleanJobPlan {
  readonly table: Table;
  readonly options: Omit<Parameters<typeof rankRows>[1], "signal" | "onProgress">;
}

export const job: Job<CleanJobPlan, RunHappening, Ranking> = async (
  { table, options },
  { signal, tell },
) => {
  const models = formatCount((options.folds ?? 5) * (options.repeats ?? 3), "model");
  return rankRows(table, {
    ...options,
    signal,
    onProgress: (done, most) => {
      const text = `Fitting ${models} at each of at most ${most} coefficients.`;
      if (done === 0) void tell({ type: "note", text });
      void tell({ type: "step", doing: "coefficient", step: done + 1, of: most, metrics: {} });
    },
  });
};
