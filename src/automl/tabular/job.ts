/** What is open during a run: the table, its splits, the family, and what the run has learned. */
import type { Table } from "../../data/index.ts";
import type { ModelFamily, OpenFamily } from "../families/family.ts";
import type { MethodRecord, OuterState } from "./record.ts";
import type { Splits } from "./splits.ts";
import type { FullTuneOptions, TuneResult } from "./types.ts";

/** How a run ended. */
export type Outcome = TuneResult["status"];

/** What stays the same during a run. */
export interface Job {
  readonly table: Table;
  readonly options: FullTuneOptions;
  readonly splits: Splits;
  readonly family: ModelFamily;
  readonly opened: OpenFamily;
}

/** What a run has learned. */
export interface RunState {
  records: MethodRecord[][];
  /** Outer loops that can go on, by split. */
  outer: Map<number, OuterState>;
  /** What a first split's search had found when it was stopped. */
  partial?: MethodRecord;
  outcome: Outcome;
  /** What the budget cost; notes on single records are made from these at the end. */
  notes: string[];
  save(): void | Promise<void>;
}

/** Tells the listener, and the result. */
export function note(state: RunState, options: FullTuneOptions, text: string): void {
  state.notes.push(text);
  options.onEvent?.({ type: "note", text });
}
