/** The tasks of bench/stochastic.ts by name, and how the rates of a method are looked for. */
import { logistic } from "./logistic.ts";
import type { Rates } from "./methods.ts";
import { quadratics } from "./quadratics.ts";
import type { Task } from "./task.ts";
import type { TracePoint } from "./trace.ts";

/** A task and the grid of rates that is tried on it. */
export interface TaskEntry {
  make(): Promise<Task>;
  readonly grid: Record<keyof Rates, readonly number[]>;
}

/** By the names of the command line; a9a reads STACKELBERG_DATA, the data folder. */
export const tasks: Readonly<Record<string, TaskEntry>> = {
  quadratics: {
    make: () => Promise.resolve(quadratics()),
    grid: { inner: [0.1, 0.3, 1], leader: [0.1, 0.3, 1] },
  },
  a9a: {
    make: () => logistic(process.env["STACKELBERG_DATA"]!),
    grid: { inner: [0.1, 0.3, 1], leader: [10, 30] },
  },
};

/** Of the grid that pair is taken with which ‖∇F‖² is smallest after `calls` calls, on a seed that is not reported. */
export const tuning = { seed: 9, calls: 2000 };

/** How often a run is looked at. */
export const points = 33;

/** What one method did on one task. */
export interface Outcome {
  readonly method: string;
  readonly rates: Rates;
  /** Mean calls of an outer step. */
  readonly callsPerStep: number;
  /** One run for each seed. */
  readonly runs: readonly (readonly TracePoint[])[];
  /** CPU seconds of a run, compilation included. */
  readonly seconds: number;
}
