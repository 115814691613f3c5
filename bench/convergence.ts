/**
 * How the minimizers of the T-step problem approach those of the exact problem: `npm run bench:convergence`. Prints the
 * tables of docs/results/convergence.md and writes its charts; the third case needs STACKELBERG_DATA, the data folder.
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import {
  logisticCase,
  representationCase,
  ridgeCase,
  type ConvergenceCase,
} from "./convergence/cases.ts";
import { errorChart, type Series } from "./convergence/chart.ts";
import {
  fittedSlope,
  studyConvergence,
  type Convergence,
  type ConvergenceRow,
  type ErrorName,
} from "./convergence/study.ts";

const folder = process.env["STACKELBERG_DATA"];
/** Errors below are not drawn. */
const rounding = 1e-14;
const results = new URL("../docs/results/", import.meta.url);

say(`Node ${process.version}, ${availableParallelism()} cores\n`);
await report(ridgeCase());
await report(representationCase());
if (folder === undefined) {
  say("wdbc is left out: set STACKELBERG_DATA to the folder that holds tabular/wdbc.data.");
} else {
  await report(await logisticCase(folder));
}

async function report(c: ConvergenceCase): Promise<void> {
  const started = performance.now();
  const found = await studyConvergence(c);
  const seconds = (performance.now() - started) / 1000;
  const { exact, atStart, atMinimizer } = found;
  say(`### ${c.name}\n`);
  say(
    `F(λ*) = ${exact.value.toPrecision(10)}, ‖∇F(λ*)‖ = ${short(exact.gradientNorm)}, s = ${c.learningRate}; ` +
      `curvature ${number(atMinimizer.smallest)} to ${number(atMinimizer.largest)} at λ*, ` +
      `${number(atStart.smallest)} to ${number(atStart.largest)} at the start. ${seconds.toFixed(0)} s.\n`,
  );
  table(
    ["T", "‖λ_T − λ*‖", "|F_T(λ_T) − F*|", "F(λ_T) − F*", "‖∇F_T − ∇F‖ at the start"],
    found.rows.map((row) => [
      String(row.steps),
      ...(["minimizer", "value", "regret", "gradient"] as const).map((name) => short(row[name])),
    ]),
  );
  table(
    ["error", "falls like", "predicted", `fitted, T ≥ ${c.fitFrom}`, "off by"],
    predictions(c, found).map(({ title, law, error, power, slope }) => {
      const fitted = fittedSlope(found.rows, error, { from: c.fitFrom, power });
      const off = fitted === undefined ? "–" : `${(100 * (fitted / slope - 1)).toFixed(1)} %`;
      return [title, law, slope.toFixed(5), fitted?.toFixed(5) ?? "rounding only", off];
    }),
  );
  await writeFile(new URL(c.file, results), errorChart(c.name, series(c, found)));
}

interface Prediction {
  readonly title: string;
  readonly law: string;
  readonly error: ErrorName;
  readonly power: number;
  readonly slope: number;
}

function predictions(c: ConvergenceCase, { atStart, atMinimizer }: Convergence): Prediction[] {
  const { predicted } = atMinimizer;
  const [one, two] = c.power === 0 ? ["qᵀ", "q²ᵀ"] : ["T·qᵀ", "T²·q²ᵀ"];
  return [
    { title: "‖λ_T − λ*‖", law: one, error: "minimizer", power: c.power, slope: predicted },
    { title: "|F_T(λ_T) − F*|", law: "qᵀ", error: "value", power: 0, slope: predicted },
    { title: "F(λ_T) − F*", law: two, error: "regret", power: 2 * c.power, slope: 2 * predicted },
    { title: "∇F_T − ∇F", law: "T·qᵀ", error: "gradient", power: 1, slope: atStart.predicted },
  ];
}

/** The measured errors, and the predicted fall drawn through the last error above rounding. */
function series(c: ConvergenceCase, found: Convergence): Series[] {
  const { rows, atMinimizer } = found;
  const line = (title: string, colour: string, error: ErrorName): Series => ({
    title,
    colour,
    points: rows
      .map((row) => ({ steps: row.steps, error: row[error] }))
      .filter((point) => point.error > rounding),
  });
  const last: ConvergenceRow = rows.at(-1)!;
  const prediction: Series = {
    title: c.power === 0 ? "predicted, C·qᵀ" : "predicted, C·T·qᵀ",
    colour: "#1f4e9c",
    isPrediction: true,
    points: rows.map(({ steps }) => ({
      steps,
      error:
        last.minimizer *
        (steps / last.steps) ** c.power *
        Math.exp(atMinimizer.predicted * (steps - last.steps)),
    })),
  };
  const lines = [
    line("‖λ_T − λ*‖", "#1f4e9c", "minimizer"),
    prediction,
    line("|F_T(λ_T) − F*|", "#b5541c", "value"),
    line("F(λ_T) − F*", "#2e7d4f", "regret"),
    line("‖∇F_T − ∇F‖", "#7a3e9d", "gradient"),
  ];
  return lines.filter(({ points }) => points.some(({ error }) => error > 0));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  say([line(head), line(head.map(() => "---:")), ...rows.map(line), ""].join("\n"));
}

function short(value: number): string {
  return value === 0 ? "0" : value.toExponential(1);
}

function number(value: number): string {
  return value.toPrecision(4);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
