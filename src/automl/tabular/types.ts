/**
 * The shapes of the tabular job: its options, its events, its result and the model that comes out.
 * All of them are plain data that serializes to JSON, except the functions among the options.
 */
import type { Target, Task } from "../../data/index.ts";
import type { ExplainedInput, Explanation } from "../families/explanation.ts";
import type { ModelFamily } from "../families/family.ts";
import type { MethodInfo } from "../families/method.ts";
import type { HistoryEntry, UsedRule } from "../families/search-record.ts";
import type { TabularModel } from "./model.ts";
import type { TuneCheckpoint } from "./record.ts";

/** What a tuning run depends on; the table itself is a separate argument. */
export interface TuneOptions {
  /** Name of the target column. */
  target: string;
  /** Forces the kind of target; default: inferred from its values. */
  task?: Task;
  /** Rows of classes that have fewer rows than this are left out. Default: none are. */
  minClass?: number;
  /** Fraction of the rows kept for testing. Default 0.2. */
  holdout?: number;
  /**
   * Folds of the rows beside the test rows on which coefficients are judged: each row is held out once. At least 2.
   * Default 5.
   */
  folds?: number;
  /** In place of folds, the fraction of the rows on which coefficients are judged, for example 0.2. */
  validation?: number;
  /** Seed of the splits. Default 0. */
  seed?: number;
  /** Number of independent splits. Default 5. */
  repeats?: number;
  /** What is tuned. Default: the linear family. A family of your own is tried in the same way. */
  family?: ModelFamily;
  /** Outer steps of the search on each split, at most. Default 60. */
  steps?: number;
  /**
   * The hypergradient rule by its name in the catalog, of those that apply, or "auto": the adviser measures the problem
   * and picks. Default "reverse".
   */
  rule?: string;
  /**
   * Wall-clock budget of this call, for everything. What was learned until then is the result. The first
   * split's baselines and some outer steps are always made, however long they take. Default: none.
   */
  budgetSeconds?: number;
  /** Threads of the runtime. Default: the runtime's own choice. */
  threads?: number;
  /** Default "cpu". */
  device?: "cpu" | "webgpu" | "cuda";
  /** Stops at the next step; what was learned until then is the result. */
  signal?: AbortSignal;
  /** The checkpoint of an interrupted run on the same table with the same options. */
  resume?: TuneCheckpoint;
  /** Told what happens, as it happens. */
  onEvent?: (event: TuneEvent) => void;
  /** Given the state of the run after every split's method and every few steps, for saving. */
  onCheckpoint?: (checkpoint: TuneCheckpoint) => void | Promise<void>;
}

/** Options with their defaults. */
export type FullTuneOptions = TuneOptions &
  Required<Pick<TuneOptions, "holdout" | "seed" | "repeats" | "steps">>;

/** What happens during a run. `repeat` counts from 0; `step` too, where 0 is the start. */
export type TuneEvent =
  | {
      type: "split";
      repeat: number;
      repeats: number;
      /** What the methods that come first are called. */
      baselines: readonly string[];
    }
  | {
      type: "step";
      repeat: number;
      step: number;
      steps: number;
      innerObjective: number;
      outerObjective: number;
      gradientNorm: number;
      innerGradientNorm: number;
      elapsedSeconds: number;
      /** An estimate for the whole run, the remaining splits included. */
      remainingSeconds: number;
    }
  | {
      type: "method";
      repeat: number;
      method: string;
      title: string;
      seconds: number;
      validationLoss: number;
      testLoss: number;
    }
  | { type: "note"; text: string };

/** One method on all finished splits; entry i of every list is split i. */
export interface MethodResult {
  method: string;
  title: string;
  /** In sentences. */
  called: string;
  role: MethodInfo["role"];
  seconds: number[];
  validationLoss: number[];
  /** Test metrics by name, with mean and half width of their 95 % interval. */
  test: Record<string, { values: number[]; mean: number; halfWidth: number }>;
  /** Of a search: how far each split's configuration leaves its start, 0 for not at all; see `Hold`. */
  shares?: number[];
}

/** The model that comes out: which one it is, and which error to expect of it. */
export interface ChosenModel {
  /** The method whose choice it is; of a search that stayed where it began, the method that it began from. */
  method: string;
  /** How far a search left its start, above 0 only for a search. */
  share: number;
  /** Which configuration it is, in words. */
  what: string;
  /** Numbers of it by name, for the rows of the model. */
  numbers: Readonly<Record<string, number>>;
  /** Held-out loss in the first split, by which it was chosen. */
  validationLoss: number;
  /** Rows that its weights were fitted on: all that have a target. */
  rows: number;
  /** Whether its fit ended before its limit of evaluations. */
  isSolved: boolean;
  /**
   * What to expect on new rows: a test metric of the same choice, made on each split from the other rows and refitted on
   * them, mean ± halfWidth (95 %). Absent when no split was finished.
   */
  expected?: { by: string; metric: string; mean: number; halfWidth: number; splits: number };
}

/** The outcome of a run. */
export interface TuneResult {
  version: 1;
  status: "completed" | "budget" | "cancelled";
  source: string;
  /** In each split; `validation` rows are held out at a time. */
  rows: { total: number; train: number; validation: number; test: number };
  /** Folds on which coefficients were judged; 1 for a single validation part. */
  folds: number;
  target: Target;
  task: Task;
  seed: number;
  repeats: number;
  /** Splits on which every method finished. */
  completedRepeats: number;
  /** What its models are called: "logistic regression". */
  kind: string;
  inputs: readonly ExplainedInput[];
  /** How the inputs' numbers are to be read; absent when the family does not explain its models. */
  explanation?: Omit<Explanation, "inputs">;
  /** The methods that finished on at least one split. */
  methods: MethodResult[];
  history: HistoryEntry[];
  /** Whether the follower's problem was solved well enough for its hypergradients to be trusted. */
  report: {
    status: string;
    sentence: string;
    innerGradientNorm: number;
    relativeInnerGradient: number;
    steps: number;
  };
  /** Of the search; absent in families without. */
  rule?: UsedRule;
  chosen: ChosenModel;
  notes: string[];
  seconds: number;
  model: TabularModel;
}
