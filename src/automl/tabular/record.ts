/** What a run has learned so far: what every method found on every split, and searches that can go on. Plain data. */
import type { SearchRecord, SearchState, TuneAdvice } from "../families/search-record.ts";

/** What one method found on one split. */
export interface MethodRecord {
  method: string;
  seconds: number;
  validationLoss: number;
  /** Test metrics by name. */
  test: Record<string, number>;
  testLoss: number;
  /** The family's configuration, for as many rows as a fold of the split trains on. */
  config: unknown;
  /** Of a fit that ended before its minimum, in words; absent when all were solved. */
  unsolved?: string;
  /** True when the budget ended the search, so that a resumed run goes on with it. */
  cut: boolean;
  /** The outer loop; absent in methods without. */
  outer?: SearchRecord;
}

/** The state of a run between two steps. */
export interface TuneCheckpoint {
  version: 2;
  /** Of the table and the options that the result depends on. */
  fingerprint: string;
  /** Time spent so far. */
  seconds: number;
  /** One list for each split that was begun. */
  splits: MethodRecord[][];
  /** The outer loops that can go on. */
  outer: OuterState[];
  /** What the adviser said, when it picked the rule. */
  advice?: TuneAdvice;
}

/** An outer loop of a split between two steps. */
export interface OuterState extends SearchState {
  repeat: number;
}
