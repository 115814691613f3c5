/**
 * The loop behind `solve`: runs one program per step, keeps the state, writes checkpoints and says how it ended. Arrays
 * pass through untouched; only their being finite and their norms are looked at.
 */
import { tree } from "@jax-js/jax";
import type { Tensor, Tree } from "../../program/index.ts";
import { readCheckpointFile } from "./checkpoint-file.ts";
import { decodeCheckpoint, type SolveState } from "./checkpoint.ts";
import { CheckpointWriter } from "./checkpoint-writer.ts";
import { cancelledEnding, endingOf, nonFiniteEnding, type Ending } from "./endings.ts";
import type { StepRecord } from "./history.ts";
import { leafPaths } from "../estimate/leaves.ts";
import { openMachine, type Machine } from "./machine.ts";
import type { OuterStepOutputs } from "./outer-step.ts";
import type { Problem } from "../problem.ts";
import { coefficientWarnings } from "../estimate/follower-measure.ts";
import { allFinite, makeReport, type Report } from "../evaluate/report.ts";
import type { Cost } from "../rule.ts";
import type { Loop } from "./run.ts";
import { isSampler } from "./samplers.ts";
import type { FullSolveOptions, SolveResult, SolveStep } from "./options.ts";

type Step = SolveStep<Tree<Tensor>, Tree<Tensor>>;
type Result = SolveResult<Tree<Tensor>, Tree<Tensor>>;

/** The outer loop of one run. */
export class OuterLoop implements Loop<Step, Result> {
  readonly #problem: Problem;
  readonly #options: FullSolveOptions;
  readonly #writer: CheckpointWriter;
  #started: number | undefined;
  #machine: Machine | undefined;
  /** The finite steps; the state's history is this very list. */
  #history: StepRecord[] = [];
  /** After the last finite step. */
  #state: SolveState | undefined;
  /** The step that was not finite, which no checkpoint contains. */
  #failed: StepRecord | undefined;
  #ending: Ending | undefined;
  readonly #warnings: string[] = [];

  constructor(problem: Problem, options: FullSolveOptions) {
    this.#problem = problem;
    this.#options = options;
    this.#writer = new CheckpointWriter(options.checkpoint);
  }

  async next(): Promise<Step | undefined> {
    this.#started ??= performance.now();
    const { signal } = this.#options;
    if (!this.#ending && signal?.aborted) this.#ending = cancelledEnding("signal", this.#last);
    if (this.#ending) return undefined;
    this.#machine ??= await this.#open();
    const { innerGradients } = this.#machine.cost;
    const seen = { history: this.#history, best: this.#best, seconds: this.#seconds };
    this.#ending = endingOf(seen, this.#options, innerGradients);
    return this.#ending ? undefined : this.#step(this.#machine);
  }

  async end(): Promise<Result> {
    this.#ending ??= cancelledEnding("caller", this.#last);
    if (this.#state) await this.#writer.save(this.#state);
    await this.#machine?.dispose();
    const { trees } = this.#state ?? {};
    const { lambda, w, keepBest } = this.#options;
    const last = { lambda: trees?.lambda ?? lambda, w: trees?.w ?? w };
    const best = {
      step: this.#best?.step ?? 0,
      value: this.#best?.value ?? Number.NaN,
      lambda: trees?.bestLambda ?? lambda,
      w: trees?.bestW ?? w,
    };
    const chosen = keepBest ? best : { ...last, value: this.#last?.value ?? Number.NaN };
    const measured = this.#history.map(({ measured }) => measured);
    const ofRun = [
      ...(this.#options.rule.warn?.(measured) ?? []),
      // A learning rate out of its range may be why the last step is not finite.
      ...coefficientWarnings(this.#failed ? [...measured, this.#failed.measured] : measured),
    ];
    const warnings = [...this.#warnings, ...ofRun, ...this.#writer.warnings];
    return {
      lambda: chosen.lambda,
      w: chosen.w,
      value: chosen.value,
      best,
      history: this.#failed ? [...this.#history, this.#failed] : [...this.#history],
      status: this.#ending.status,
      sentence: [this.#ending.sentence, ...ofRun, ...this.#writer.warnings].join(" "),
      cost: this.#cost,
      seconds: this.#seconds,
      warnings,
    } as unknown as Result;
  }

  async #open(): Promise<Machine> {
    const { resume } = this.#options;
    const bytes = typeof resume === "string" ? await readCheckpointFile(resume) : resume;
    const saved = bytes && decodeCheckpoint(bytes);
    const first = saved?.state.history.length ?? 0;
    const goOn = saved && { identity: saved.identity, trees: saved.state.trees };
    const machine = await openMachine(this.#problem, this.#options, first, goOn);
    this.#writer.identity = machine.identity;
    if (saved) {
      this.#state = saved.state;
      this.#history = saved.state.history;
    }
    return machine;
  }

  async #step(machine: Machine): Promise<Step> {
    const k = this.#history.length;
    const { lambda } = machine;
    const before = performance.now();
    const outputs = await machine.step(k);
    const seconds = (performance.now() - before) / 1000;
    if (k === 0) this.#warnings.push(...withoutEffect(outputs.gradient));
    const { rule, constants, data } = this.#options;
    const report = makeReport(rule, machine.cost, outputs, seconds, [], {
      constants,
      sampled: isSampler(data.inner) || isSampler(data.outer),
      hasInit: this.#problem.init !== undefined,
    });
    const record = recordOf(k, outputs, report, seconds);
    const { value, gradient, w } = report.nonFinite;
    if (value || gradient || w || !allFinite(outputs.nextLambda)) {
      this.#failed = record;
      this.#ending = nonFiniteEnding(record, report);
    } else {
      this.#keep(record, lambda, outputs);
      if (this.#writer.isDue(k)) await this.#writer.save(this.#state!);
    }
    return {
      ...record,
      lambda,
      w: outputs.w,
      gradient: outputs.gradient,
      report,
      cost: this.#cost,
      elapsedSeconds: this.#seconds,
      warnings: [...this.#warnings, ...this.#writer.warnings],
    } as unknown as Step;
  }

  #keep(record: StepRecord, lambda: Tree<Tensor>, outputs: OuterStepOutputs): void {
    const { w, nextLambda, nextFollower, nextOptimizer } = outputs;
    const previous = this.#state;
    const best = this.#best;
    const isBest = best === undefined || record.value < best.value;
    this.#state = {
      history: this.#history,
      bestStep: isBest ? record.step : best.step,
      trees: {
        lambda,
        w,
        nextLambda,
        follower: nextFollower,
        optimizer: nextOptimizer,
        bestLambda: isBest ? lambda : previous!.trees.bestLambda,
        bestW: isBest ? w : previous!.trees.bestW,
      },
    };
    this.#history.push(record);
  }

  get #best(): StepRecord | undefined {
    return this.#state && this.#history[this.#state.bestStep];
  }

  get #last(): StepRecord | undefined {
    return this.#history.at(-1);
  }

  get #seconds(): number {
    return this.#started === undefined ? 0 : (performance.now() - this.#started) / 1000;
  }

  get #cost(): Cost {
    const steps = this.#history.length + (this.#failed ? 1 : 0);
    const { storedFloats = 0, ...counts } = this.#machine?.cost ?? NO_COST;
    const sums = Object.entries(counts).map(([name, count]) => [name, steps * count]);
    return { ...(Object.fromEntries(sums) as typeof counts), storedFloats };
  }
}

const NO_COST: Cost = {
  innerGradients: 0,
  hessianVectorProducts: 0,
  crossProducts: 0,
  storedFloats: 0,
  reportGradients: 0,
};

function recordOf(
  step: number,
  outputs: OuterStepOutputs,
  report: Report,
  seconds: number,
): StepRecord {
  const gradientNorm = normOf(outputs.gradient);
  return {
    step,
    value: outputs.value.item(),
    innerValue: outputs.innerValue[0]?.item() ?? Number.NaN,
    gradientNorm,
    projectedGradientNorm: outputs.projectedGradientNorm[0]?.item() ?? gradientNorm,
    innerGradientNorm: report.innerGradientNorm,
    initialInnerGradientNorm: report.initialInnerGradientNorm,
    measured: report.measured,
    seconds,
  };
}

/** A sentence for each leaf of λ whose first hypergradient is exactly 0: most often, nothing reads it. */
function withoutEffect(gradient: Tree<Tensor>): string[] {
  const paths = leafPaths("lambda", gradient);
  return tree
    .leaves<Tensor>(gradient)
    .flatMap(({ data }, i) =>
      data.length === 0 || data.some((x) => x !== 0)
        ? []
        : [
            `${paths[i]} has a hypergradient of exactly 0 at step 0; if it is not meant, see that the problem's functions read it from their lambda argument, and that the rule makes enough inner steps for it to matter.`,
          ],
    );
}

/** Euclidean norm over all leaves, in float64. */
function normOf(values: Tree<Tensor>): number {
  let sum = 0;
  for (const { data } of tree.leaves<Tensor>(values)) for (const x of data) sum += x * x;
  return Math.sqrt(sum);
}
