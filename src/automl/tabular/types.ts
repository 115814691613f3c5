/**
 * The shapes of the tabular job: its options, its events, its result and the model that comes out.
 * All of them are plain data that serializes to JSON, except the functions among the options.
 */
import type { Encoder } from "../../data/index.ts";
import type { Target, Task } from "../../data/index.ts";
import type { TuneCheckpoint } from "./checkpoint.ts";

/** The three ways to choose coefficients that a run compares on the same splits. */
export type Method = "default" | "grid" | "hypergradient";

/** What a tuning run depends on; the table itself is a separate argument. */
export interface TuneOptions {
  /** Name of the target column. */
  target: string;
  /** Forces the kind of target; default: inferred from its values. */
  task?: Task;
  /** Rows of classes that have fewer rows than this are left out. Default: none are. */
  minClass?: number;
  /** Fraction of the rows kept for testing, for example 0.2. */
  holdout: number;
  /**
   * Folds of the rows beside the test rows on which coefficients are judged: each row is held out once. At least 2.
   * Default 5.
   */
  folds?: number;
  /** In place of folds, the fraction of the rows on which coefficients are judged, for example 0.2. */
  validation?: number;
  /** Seed of the splits. */
  seed: number;
  /** Number of independent splits. */
  repeats: number;
  /** Outer steps of the hypergradient method on each split, at most. */
  steps: number;
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

/** What happens during a run. `repeat` counts from 0; `step` too, where 0 is the start. */
export type TuneEvent =
  | { type: "split"; repeat: number; repeats: number }
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
      method: Method;
      seconds: number;
      validationLoss: number;
      testLoss: number;
    }
  | { type: "note"; text: string };

/** One method on all finished splits; entry i of every list is split i. */
export interface MethodResult {
  method: Method;
  title: string;
  seconds: number[];
  validationLoss: number[];
  /** Test metrics by name, with mean and half width of their 95 % interval. */
  test: Record<string, { values: number[]; mean: number; halfWidth: number }>;
  /** Of the hypergradient method: how far each split's coefficients leave the single one, 0 for not at all; see `Hold`. */
  shares?: number[];
}

/** The model that comes out: which one it is, and which error to expect of it. */
export interface ChosenModel {
  /** "hypergradient": coefficients per column; "grid" and "default": a single one. */
  method: Method;
  /** How far the coefficients leave the single one, above 0 for "hypergradient". */
  share: number;
  /** Of the grid or the default, or of the single coefficient that a search started from; for the rows of the model. */
  singleCoefficient: number;
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
  expected?: { by: Method; metric: string; mean: number; halfWidth: number; splits: number };
}

/** One input column of the final model. */
export interface TunedInput {
  name: string;
  kind: "numeric" | "categorical";
  /** Encoded columns that share the coefficient. */
  columns: number;
  /** Natural logarithm of the final model's L2 coefficient. */
  logCoefficient: number;
  coefficient: number;
  /** Euclidean norm of this input's weights in the final model. */
  weightNorm: number;
}

/** One outer step of the first split. */
export interface HistoryEntry {
  step: number;
  inner: number;
  outer: number;
  gradientNorm: number;
  innerGradientNorm: number;
  seconds: number;
}

/** What the adviser said, in words. */
export interface TuneAdvice {
  /** What was found, and what follows. */
  sentence: string;
  /** The rule that was picked. */
  call: string;
  /** Training rows that were measured, of how many. */
  rows: number;
  ofRows: number;
  /** The rest of its ranking, best first. */
  runnersUp: { call: string; why: string; caution: string }[];
  ruledOut: { rule: string; why: string }[];
}

/** The rule that estimated the hypergradients; numbers are those of the first split's search. */
export interface UsedRule {
  /** In the catalog of rules. */
  name: string;
  /** As one would write it. */
  call: string;
  /** What the hypergradient leaves out; `null` when it is the exact derivative at the follower's answer. */
  bias: string | null;
  /** The rule's own report at the step that was kept; "not-run" without one. */
  status: string;
  sentence: string;
  /** Evaluations of the inner gradient, over all outer steps. */
  innerGradients: number;
  /** Products with second derivatives, over all outer steps. */
  products: number;
  /** Kept at once for the derivative. */
  storedBytes: number;
  /** Present when the adviser picked. */
  advice?: TuneAdvice;
}

/** A fitted model: everything that turns raw columns into predictions. */
export interface TabularModel {
  version: 1;
  target: Target;
  encoder: Encoder;
  /** [width][outputs]; one output for regression and binary, K for K classes. */
  weights: number[][];
  /** [outputs] */
  bias: number[];
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
  /** Splits on which all three methods finished. */
  completedRepeats: number;
  inputs: TunedInput[];
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
  rule: UsedRule;
  chosen: ChosenModel;
  notes: string[];
  seconds: number;
  model: TabularModel;
}
