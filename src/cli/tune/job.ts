// The computation of `tune`, in a thread of its own.

import {
  tune,
  type TuneCheckpoint,
  type TuneEvent,
  type TuneOptions,
  type TuneResult,
} from "../../automl/index.ts";
import type { Table } from "../../data/index.ts";
import { formatNumber, formatSeconds } from "../../data/internal.ts";
import type { Job, RunHappening } from "../../study/index.ts";

/** The table and the library's options, as far as they are data. */
export interface TuneJobPlan {
  readonly table: Table;
  readonly options: Omit<TuneOptions, "family" | "signal" | "onEvent" | "onCheckpoint">;
}

/** What it tells; a checkpoint is waited for. */
export type TuneJobEvent =
  RunHappening | { readonly type: "checkpoint"; readonly state: TuneCheckpoint };

export const job: Job<TuneJobPlan, TuneJobEvent, TuneResult> = async (
  { table, options },
  { signal, tell },
) =>
  tune(table, {
    ...options,
    signal,
    onEvent: (event) => void tell(happeningOf(event)),
    onCheckpoint: (state) => tell({ type: "checkpoint", state }),
  });

function happeningOf(event: TuneEvent): RunHappening {
  switch (event.type) {
    case "note":
      return event;
    case "split": {
      const { repeat: index, repeats: of, baselines } = event;
      return { type: "part", part: "split", index, of, doing: baselines.join(", then ") };
    }
    case "step": {
      const { type, repeat, step, steps: of, remainingSeconds: secondsLeft, ...numbers } = event;
      return { type, step, of, metrics: { repeat, secondsLeft, ...numbers } };
    }
    case "method": {
      const { repeat, method, title, seconds, validationLoss, testLoss } = event;
      return {
        type: "measured",
        what: method,
        metrics: { repeat, validationLoss, testLoss, seconds },
        text: `${title}: validation loss ${formatNumber(validationLoss)}, test loss ${formatNumber(testLoss)}, ${formatSeconds(seconds)}`,
      };
    }
  }
}
