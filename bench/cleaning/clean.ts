/** One run of a method on a cleaning task, and what needs no leader. */
import { numpy as np, type Array as JaxArray } from "@jax-js/jax";
import { cleaningProblem, zeroModel, type LinearModel, type TrainingRows } from "./problem.ts";
import { scoreKept } from "./score.ts";
import {
  adam,
  disposePrograms,
  fixedBatches,
  hypergradient,
  minibatches,
  momentum,
  solve,
  type Cost,
  type Solve,
  type SolveOptions,
  type SolveResult,
} from "../../src/bilevel/index.ts";
import { oneStage } from "../../src/bilevel/rules/index.ts";
import { rocAuc } from "../../src/data/index.ts";
import { compile, tensor, zeros, type Tensor } from "../../src/program/index.ts";
import type { CleaningTask, Rows } from "./data.ts";
import { gradientUnits, innerRate, type Method } from "./methods.ts";

/** One run's results, by column. */
export interface Result {
  readonly title: string;
  /** Of the task; which runs had the same rows and noise. */
  readonly seed: number;
  /** Test accuracy of the run's own follower. */
  readonly accuracy: number;
  /** The model fitted again from zero with the weights found. */
  readonly refitted?: number;
  /** The same with the validation rows beside, at weight 1. */
  readonly joined?: number;
  readonly f1?: number;
  readonly precision?: number;
  readonly recall?: number;
  /** How well x orders wrong rows before clean ones, whatever the bound between kept and not. */
  readonly auc?: number;
  readonly outerSteps?: number;
  /** Of the processor, compilation included. */
  readonly seconds?: number;
  readonly storedFloats?: number;
  /** Largest resident memory of the process until the leader's last step, bytes. */
  readonly peakBytes?: number;
  /** Why the run ended before its budget. */
  readonly ending?: string;
}

/** What a run may spend and how fast its leader moves. */
export interface Allowance {
  /** Gradients over all rows; see {@link gradientUnits}. */
  readonly gradients: number;
  /** The leader's learning rate (Adam). */
  readonly leaderRate: number;
}

const threads = 1;
/** Steps from zero, with momentum 0.9, of the models that are fitted beside the rules' own. */
const finalSteps = 100;
/** σ(±wide) is 1 or 0 in float32. */
const wide = 100;
const scores = compile((model: LinearModel, x: JaxArray) =>
  np.matmul(x, model.weights).add(model.bias),
);

/** The kept rows and the accuracies of one method. */
export async function clean(
  task: CleaningTask,
  title: string,
  method: Method,
  allowance: Allowance,
): Promise<Omit<Result, "seed">> {
  const before = process.cpuUsage();
  const { found, steps } = await search(task, method, allowance);
  const { user, system } = process.cpuUsage(before);
  const peakBytes = 1024 * process.resourceUsage().maxRSS;
  const x = found.lambda.data as Float32Array;
  const { f1, precision, recall } = scoreKept(x, task.isWrong);
  const result = {
    title,
    accuracy: await accuracyOf(found.w as unknown as LinearModel<Tensor>, task.test),
    refitted: await accuracyOf(await fit(task.training, x), task.test),
    joined: await accuracyOf(await fitJoined(task, x), task.test),
    f1,
    precision,
    recall,
    auc: rocAuc(
      task.isWrong,
      x.map((v) => -v),
    ),
    outerSteps: steps,
    seconds: (user + system) / 1e6,
    storedFloats: found.cost.storedFloats,
    peakBytes,
  };
  return found.status === "max-steps" ? result : { ...result, ending: found.sentence };
}

/** The leader's steps that the allowance pays for. */
export async function search(
  task: CleaningTask,
  method: Method,
  allowance: Allowance,
): Promise<{ found: SolveResult<JaxArray, LinearModel>; steps: number }> {
  const { training, validation } = task;
  const problem = cleaningProblem();
  const data = dataFor(method, training, validation);
  const run = (steps: number): Solve<JaxArray, LinearModel> =>
    solve(problem, {
      rule: method.rule,
      optimizer: adam({ learningRate: allowance.leaderRate }),
      threads,
      lambda: zeros([training.labels.length]),
      w: modelOf(training),
      data,
      innerValue: false,
      budget: { steps },
    });
  // The last of n steps is followed by one more evaluation, so that the first one's cost buys n + 1.
  const units = gradientUnits(await firstCost(run(1)), method);
  const steps = Math.max(1, Math.floor(allowance.gradients / units) - 1);
  const found = await run(steps);
  await disposePrograms(problem);
  return { found, steps };
}

async function firstCost(run: Solve<JaxArray, LinearModel>): Promise<Cost> {
  for await (const { cost } of run) return cost;
  throw new Error("a run without a step");
}

/** Rows of each level as the method wants to see them. */
function dataFor(
  { batches, size, rule }: Method,
  training: Rows,
  validation: Rows,
): SolveOptions["data"] {
  const outer = arrays(validation);
  if (batches === undefined) return { inner: arrays(training), outer };
  const rows = tensor(Int32Array.from({ length: training.labels.length }, (_, i) => i));
  const inner = { ...arrays(training), rows };
  switch (batches) {
    case "own":
      return { inner, outer };
    case "fixed":
      return {
        inner: fixedBatches({ data: inner, size }),
        outer: fixedBatches({ data: outer, size }),
      };
    case "random":
      return {
        inner: minibatches({
          data: inner,
          size,
          ...(rule.innerSteps === 1 ? {} : { perStep: rule.innerSteps }),
        }),
        outer: minibatches({ data: outer, size }),
      };
  }
}

/** What needs no leader: all rows alike, the clean ones alone, the validation rows alone. */
export async function baselines(task: CleaningTask): Promise<Omit<Result, "seed">[]> {
  const { training, validation, isWrong } = task;
  const peakBytes = 1024 * process.resourceUsage().maxRSS;
  const all = new Float32Array(isWrong.length).fill(wide);
  const clean = Float32Array.from(isWrong, (wrong) => (wrong ? -wide : wide));
  const everyValidation = new Float32Array(validation.labels.length).fill(wide);
  const test = async (model: Promise<LinearModel<Tensor>>): Promise<number> =>
    accuracyOf(await model, task.test);
  return [
    {
      title: "uniform weights",
      accuracy: await test(fit(training, all)),
      joined: await test(fitJoined(task, all)),
      peakBytes,
    },
    {
      title: "oracle: clean rows alone",
      accuracy: await test(fit(training, clean)),
      joined: await test(fitJoined(task, clean)),
    },
    {
      title: "validation rows alone",
      accuracy: await test(fit(validation, everyValidation)),
    },
  ];
}

/** The follower's response after {@link finalSteps} steps from zero; the step is divided by the mean weight. */
async function fit(rows: Rows, x: Float32Array): Promise<LinearModel<Tensor>> {
  const mean = x.reduce((sum, v) => sum + 1 / (1 + Math.exp(-v)), 0) / x.length;
  const problem = cleaningProblem();
  const { w } = await hypergradient(problem, {
    // Only its forward steps matter here.
    rule: oneStage({
      steps: finalSteps,
      dynamics: momentum({ learningRate: innerRate / mean / 2, momentum: 0.9 }),
    }),
    threads,
    lambda: tensor(x),
    w: modelOf(rows),
    data: { inner: arrays(rows), outer: arrays(rows) },
  });
  await disposePrograms(problem);
  return w as unknown as LinearModel<Tensor>;
}

/** {@link fit} on the training rows with their weights and the validation rows at weight 1. */
async function fitJoined(task: CleaningTask, x: Float32Array): Promise<LinearModel<Tensor>> {
  const { training, validation } = task;
  const join = (a: Tensor, b: Tensor): Tensor => {
    const data = new Float32Array(a.size + b.size);
    data.set(a.data as Float32Array);
    data.set(b.data as Float32Array, a.size);
    return tensor(data, { shape: [a.shape[0]! + b.shape[0]!, a.shape[1]!] });
  };
  const logits = new Float32Array(x.length + validation.labels.length).fill(wide);
  logits.set(x);
  const rows = {
    x: join(training.x, validation.x),
    y: join(training.y, validation.y),
    labels: Int32Array.of(...training.labels, ...validation.labels),
  };
  return fit(rows, logits);
}

async function accuracyOf(model: LinearModel<Tensor>, rows: Rows): Promise<number> {
  const logits = (await scores(model, rows.x)).data;
  const classes = model.bias.size;
  let hits = 0;
  rows.labels.forEach((label, i) => {
    const own = logits.slice(i * classes, (i + 1) * classes) as Float32Array;
    hits += Number(own.indexOf(Math.max(...own)) === label);
  });
  return hits / rows.labels.length;
}

function arrays({ x, y }: Rows): TrainingRows<Tensor> {
  return { x, y };
}

function modelOf({ x, y }: Rows): LinearModel<Tensor> {
  return zeroModel(x.shape[1]!, y.shape[1]!);
}
