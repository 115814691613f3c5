/** What the outer loop takes and gives. */
import type { Placement, Tensor, TensorLike, Tree } from "../../program/index.ts";
import { checkConstants, type ProblemConstants } from "../bounds.ts";
import type { Budget } from "./budget.ts";
import { checkEarlyStopping, type EarlyStopping } from "./early-stopping.ts";
import type { StepRecord } from "./history.ts";
import type { Tensors } from "../evaluate/hypergradient.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { BilevelData } from "../problem.ts";
import type { Projection } from "../projections.ts";
import { randomKey } from "../../random/index.ts";
import type { Report } from "../evaluate/report.ts";
import type { Cost, Rule, Status } from "../rule.ts";
import type { Sampler } from "./samplers.ts";

/** Options of `solve`. */
export interface SolveOptions extends Placement {
  /** How the hypergradient is estimated. */
  readonly rule: Rule;
  /** How λ moves along it; its learning rate may be a schedule over the outer updates. */
  readonly optimizer: Optimizer;
  /**
   * What is known of the problem, for the error bounds in the steps' reports: at every λ that the run meets. Default:
   * nothing. Steps on samplers' minibatches have no bound.
   */
  readonly constants?: ProblemConstants;
  /** Where λ starts: any tree of floating-point arrays. */
  readonly lambda: Tree<TensorLike>;
  /** Where the follower starts; may be left out when the problem has its own `init`. */
  readonly w?: Tree<TensorLike>;
  /**
   * Trees of arrays, or samplers of minibatches, of which each step draws one. An inner sampler with `perStep`
   * stacks one batch for each of the rule's inner steps.
   */
  readonly data: BilevelData<Tree<TensorLike> | Sampler>;
  /** Projection that keeps λ feasible, applied to the start and after each update. Default: none. */
  readonly constraints?: Projection;
  /** Default: 100 outer steps. */
  readonly budget?: Budget;
  /** Stop as converged when the (projected) hypergradient's norm is at most this. Default 0: never. */
  readonly tolerance?: number;
  /** Stop as converged when the outer objective no longer improves. Default: never. */
  readonly earlyStopping?: EarlyStopping;
  /**
   * Stop as diverged when the outer objective exceeds the best one by this factor times max(1, |first value|).
   * Default 1e6.
   */
  readonly divergence?: number;
  /** "warm" (default): the follower goes on from its last state. "cold": it starts at `w` in every step. */
  readonly start?: "warm" | "cold";
  /** true: the result's λ, w and value are those of the best step. Default false: those of the last. */
  readonly keepBest?: boolean;
  /** Whether to record the inner objective, one more evaluation of it per step. Default true. */
  readonly innerValue?: boolean;
  /** Seed of samplers that have none of their own. Default 0. */
  readonly seed?: number;
  /** Ends the loop after the step in progress. */
  readonly signal?: AbortSignal;
  readonly checkpoint?: CheckpointOptions;
  /** A checkpoint's path (Node) or bytes to go on from. */
  readonly resume?: string | Uint8Array;
}

/** Where checkpoints go. One is always written at the end, whatever ended the loop. */
export interface CheckpointOptions {
  /** File to replace, in Node. */
  readonly path?: string;
  /** Receives the bytes, in a browser or wherever a file is not wanted. */
  readonly save?: (bytes: Uint8Array) => void | Promise<void>;
  /** Steps between two checkpoints; default 10. */
  readonly everySteps?: number;
}

/** One step of `solve`: the evaluation at `lambda`, before its update. */
export interface SolveStep<L, W> extends StepRecord {
  readonly lambda: Tensors<L>;
  /** The follower's response to `lambda`. */
  readonly w: Tensors<W>;
  readonly gradient: Tensors<L>;
  readonly report: Report;
  /** Sum over all steps so far, those before a resume included; `storedFloats` is the most at once. */
  readonly cost: Cost;
  /** Wall-clock seconds since this call began, compilation included. */
  readonly elapsedSeconds: number;
  /** Sentences on what is probably not meant, and on a checkpoint that could not be written. */
  readonly warnings: readonly string[];
}

/** What `solve` found. */
export interface SolveResult<L, W> {
  /** λ of the last step whose numbers were all finite, or of the best one with `keepBest`. */
  readonly lambda: Tensors<L>;
  /** The follower's response to `lambda`. */
  readonly w: Tensors<W>;
  /** The outer objective at `lambda` and `w`; NaN when no step was finite. */
  readonly value: number;
  /** The step with the smallest outer objective; the start with value NaN when no step was finite. */
  readonly best: Best<L, W>;
  /** One record for each step, 0 … the last. */
  readonly history: readonly StepRecord[];
  readonly status: Status;
  /** The status and its numbers in words. */
  readonly sentence: string;
  /** Sum over all steps, those before a resume included; `storedFloats` is the most at once. */
  readonly cost: Cost;
  /** Wall-clock seconds of this call, compilation included. */
  readonly seconds: number;
  readonly warnings: readonly string[];
}

/** The best step of a run. */
export interface Best<L, W> {
  readonly step: number;
  readonly value: number;
  readonly lambda: Tensors<L>;
  readonly w: Tensors<W>;
}

/** {@link SolveOptions} with every default filled in and λ and w on the host. */
export type FullSolveOptions = SolveOptions &
  Required<
    Pick<
      SolveOptions,
      "budget" | "start" | "keepBest" | "innerValue" | "seed" | "tolerance" | "divergence"
    >
  > & {
    readonly lambda: Tree<Tensor>;
    readonly w: Tree<Tensor>;
    /** Arrays that the objectives must not capture, with their names. */
    readonly captured: ReadonlyMap<unknown, string>;
  };

/**
 * Refuses options that cannot work.
 *
 * @throws TypeError, RangeError naming the option.
 */
export function checkOptions(options: SolveOptions): void {
  const { start = "warm", tolerance = 0, divergence = 1e6, checkpoint, earlyStopping } = options;
  const { constants } = options;
  if (start !== "warm" && start !== "cold") {
    throw new TypeError(`solve: start must be "warm" or "cold", got ${String(start)}.`);
  }
  if (!(tolerance >= 0)) {
    throw new RangeError(`solve: tolerance must be a number >= 0, got ${tolerance}.`);
  }
  if (!(divergence > 0)) {
    throw new RangeError(`solve: divergence must be a positive number, got ${divergence}.`);
  }
  if (constants) checkConstants("solve: constants", constants);
  if (earlyStopping) checkEarlyStopping(earlyStopping);
  randomKey(options.seed ?? 0);
  if (checkpoint === undefined) return;
  const { path, save, everySteps = 10 } = checkpoint;
  if ((path === undefined) === (save === undefined)) {
    throw new TypeError("solve: checkpoint needs either a path or a save function.");
  }
  if (!Number.isInteger(everySteps) || everySteps < 1) {
    throw new RangeError(
      `solve: checkpoint.everySteps must be a positive integer, got ${everySteps}.`,
    );
  }
}
