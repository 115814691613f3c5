// The computation of `clean`, in a thread of its own.

import { type Ranking, rankRows } from "../../automl/index.ts";
import type { Table } from "../../data/index.ts";
import { formatCount } from "../../data/internal.ts";
import type { Job, RunHappening } from "../../study/index.ts";

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
