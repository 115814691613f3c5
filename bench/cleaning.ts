/**
 * Data hyper-cleaning on MNIST and Fashion-MNIST with every rule at the same budget of gradients: `npm run
 * bench:cleaning -- [mnist|fashion-mnist] [seeds]`. Needs STACKELBERG_DATA, the data folder. Prints a line for each run
 * and at the end the tables of docs/results/cleaning.md.
 */
import { numpy as np, type Array as JaxArray } from "@jax-js/jax";
import { availableParallelism } from "node:os";
import {
  cleaningProblem,
  zeroModel,
  type LabelledRows,
  type LinearModel,
} from "../src/automl/cleaning/problem.ts";
import { scoreKept } from "../src/automl/cleaning/score.ts";
import {
  disposePrograms,
  gradientDescent,
  hypergradient,
  oneStage,
  solve,
} from "../src/bilevel/index.ts";
import { meanInterval } from "../src/data/index.ts";
import { compile, tensor, zeros, type Tensor } from "../src/program/index.ts";
import { cleaningTask, type CleaningTask, type Rows } from "./cleaning/data.ts";
import { gradientUnits, innerRate, methods, type Method } from "./cleaning/methods.ts";

const folder = process.env["STACKELBERG_DATA"];
const [names = "mnist,fashion-mnist", seedList = "0,1,2"] = process.argv.slice(2);
const sizes = { training: 5000, validation: 5000, test: 10_000, rate: 0.5 };
/** Gradients' worth of work of a run; a product with a second derivative counts as two. */
const budget = Number(process.env["BUDGET"] ?? 4000);
/** Steps of gradient descent from zero of the models that are tested beside the rules' own. */
const finalSteps = 500;
const threads = 1;
/** σ(±wide) is 1 or 0 in float32. */
const wide = 100;
const scores = compile((model: LinearModel, x: JaxArray) =>
  np.matmul(x, model.weights).add(model.bias),
);

/** One run's results, by column. */
interface Result {
  readonly title: string;
  readonly accuracy: number;
  /** The model fitted again from zero with the weights found. */
  readonly refitted?: number;
  /** The same with the validation rows beside, at weight 1. */
  readonly joined?: number;
  readonly f1?: number;
  readonly precision?: number;
  readonly recall?: number;
  readonly outerSteps?: number;
  readonly seconds?: number;
  readonly storedFloats?: number;
}

if (folder === undefined) {
  say("Left out: set STACKELBERG_DATA to the folder that holds mnist/ and fashion-mnist/.");
} else {
  say(`Node ${process.version}, ${availableParallelism()} cores, ${threads} thread a run`);
  for (const name of names.split(",")) await dataSet(folder, name);
}

async function dataSet(folder: string, name: string): Promise<void> {
  const results: Result[] = [];
  const seeds = seedList.split(",").map(Number);
  for (const seed of seeds) {
    const task = await cleaningTask(folder, name, { ...sizes, seed });
    say(`${name}, seed ${seed}: ${(100 * task.realisedRate).toFixed(2)} % of the labels are wrong`);
    for (const result of await baselines(task)) add(results, result);
    for (const method of methods()) add(results, await clean(task, method));
  }
  say(`\n### ${name}, ${seeds.length} seeds, ${budget} gradients\n\n${table(results)}\n`);
}

function add(results: Result[], result: Result): void {
  results.push(result);
  say(JSON.stringify(result, (_key, v: unknown) => (typeof v === "number" ? +v.toFixed(5) : v)));
}

/** One rule on one task: its own model, the kept rows, and a model fitted again with the weights found. */
async function clean(task: CleaningTask, { title, rule, optimizer }: Method): Promise<Result> {
  const { training, validation } = task;
  const problem = cleaningProblem();
  const count = training.labels.length;
  const point = {
    lambda: zeros([count]),
    w: modelOf(training),
    data: { inner: arrays(training), outer: arrays(validation) },
  };
  const { report } = await hypergradient(problem, { rule, threads, ...point });
  const steps = Math.floor(budget / gradientUnits(report.cost)) - 1;
  await disposePrograms(problem);
  const found = await solve(problem, {
    rule,
    optimizer,
    threads,
    ...point,
    innerValue: false,
    budget: { steps },
  });
  if (found.status !== "max-steps") say(`${title}: ${found.sentence}`);
  const x = (found.lambda as unknown as Tensor).data as Float32Array;
  const score = scoreKept(x, task.isWrong);
  const own = found.w as unknown as LinearModel<Tensor>;
  return {
    title,
    accuracy: await accuracyOf(own, task.test),
    refitted: await accuracyOf(await fit(training, x), task.test),
    joined: await accuracyOf(await fitJoined(task, x), task.test),
    f1: score.f1,
    precision: score.precision,
    recall: score.recall,
    outerSteps: steps,
    seconds: found.seconds,
    storedFloats: report.cost.storedFloats,
  };
}

/** What needs no leader: all rows alike, the clean ones alone, the validation rows alone. */
async function baselines(task: CleaningTask): Promise<Result[]> {
  const { training, validation, isWrong } = task;
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

/** The follower's answer after {@link finalSteps} steps from zero; the step is divided by the mean weight. */
async function fit(rows: Rows, x: Float32Array): Promise<LinearModel<Tensor>> {
  const mean = x.reduce((sum, v) => sum + 1 / (1 + Math.exp(-v)), 0) / x.length;
  const problem = cleaningProblem();
  const { w } = await hypergradient(problem, {
    // Only its forward steps matter here.
    rule: oneStage({
      steps: finalSteps,
      dynamics: gradientDescent({ learningRate: innerRate / mean }),
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

function arrays({ x, y }: Rows): LabelledRows<Tensor> {
  return { x, y };
}

function modelOf({ x, y }: Rows): LinearModel<Tensor> {
  return zeroModel(x.shape[1]!, y.shape[1]!);
}

/** Means over the seeds with their 95 % intervals, a row for each method. */
function table(results: readonly Result[]): string {
  const titles = [...new Set(results.map(({ title }) => title))];
  const columns: [string, (of: Result) => number | undefined, (v: number) => string][] = [
    ["test accuracy, %", (r) => 100 * r.accuracy, (v) => v.toFixed(2)],
    ["refitted, %", (r) => r.refitted && 100 * r.refitted, (v) => v.toFixed(2)],
    ["with validation rows, %", (r) => r.joined && 100 * r.joined, (v) => v.toFixed(2)],
    ["F1, %", (r) => r.f1 && 100 * r.f1, (v) => v.toFixed(2)],
    ["precision, %", (r) => r.precision && 100 * r.precision, (v) => v.toFixed(1)],
    ["recall, %", (r) => r.recall && 100 * r.recall, (v) => v.toFixed(1)],
    ["outer steps", (r) => r.outerSteps, String],
    ["seconds", (r) => r.seconds, (v) => v.toFixed(0)],
    ["stored numbers", (r) => r.storedFloats, String],
  ];
  const head = ["method", "seeds", ...columns.map(([name]) => name)];
  const lines = titles.map((title) => {
    const own = results.filter((result) => result.title === title);
    return [
      title,
      String(own.length),
      ...columns.map(([, read, format], i) => {
        const values = own.map(read).filter((v) => v !== undefined);
        if (values.length === 0) return "–";
        if (values.length === 1 || i > 3) return format(mean(values));
        const interval = meanInterval(values);
        return `${format(interval.mean)} ± ${format(interval.halfWidth)}`;
      }),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---:")), ...lines.map(line)].join("\n");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
