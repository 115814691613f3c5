/**
 * One L2 coefficient per column with every rule that applies, and with the adviser's: `npm run bench:tune-rules --
 * [wdbc,california-housing] [rules]`. Needs STACKELBERG_DATA, the data folder. Prints a line for each rule and the tables
 * of docs/results/tune.md.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { tuneRules } from "../src/automl/families/linear/rules.ts";
import { autoRule } from "../src/automl/families/search-record.ts";
import { tune } from "../src/automl/tabular/tune.ts";
import type { TuneResult } from "../src/automl/tabular/types.ts";
import { readTable, type Table } from "../src/data/index.ts";

const tables: Readonly<Record<string, { file: string; target: string; metric: string }>> = {
  wdbc: { file: "wdbc.data", target: "c2", metric: "logLoss" },
  "california-housing": {
    file: "california-housing.csv.gz",
    target: "median_house_value",
    metric: "rmse",
  },
};
const folder = process.env["STACKELBERG_DATA"];
const [names = Object.keys(tables).join(","), rules = Object.keys(tuneRules).join(",")] =
  process.argv.slice(2);
const repeats = 5;
const threads = 1;

if (folder === undefined) {
  say("Left out: set STACKELBERG_DATA to the folder that holds tabular/.");
} else {
  say(`Node ${process.version}, ${availableParallelism()} cores, ${threads} thread`);
  for (const name of names.split(",")) await compare(folder, name);
}

async function compare(folder: string, name: string): Promise<void> {
  const known = tables[name];
  if (known === undefined) {
    throw new RangeError(
      `tune-rules: the tables are ${Object.keys(tables).join(", ")}; ${name} came.`,
    );
  }
  const { file, target, metric } = known;
  const { table } = await readTable(join(folder, "tabular", file));
  const rows: string[][] = [];
  for (const rule of [...rules.split(","), autoRule]) {
    const result = await run(table, target, rule);
    if (rows.length === 0)
      rows.push(...["default", "grid"].map((m) => cells(result, m, m, metric)));
    const { call, advice } = result.rule!;
    const title = advice === undefined ? rule : `${rule}: ${call}`;
    rows.push(cells(result, "hypergradient", title, metric));
    say(`${name}, ${call}: ${rows.at(-1)!.slice(1).join(", ")}`);
  }
  const head = ["rule", "derivative", "report", "validation loss", `test ${metric}`];
  head.push("inner gradients", "products", "bytes", "seconds a split");
  const lines = [head, head.map(() => "---:"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  say(`\n### ${name}, ${repeats} splits\n\n${lines.join("\n")}\n`);
}

function run(table: Table, target: string, rule: string): Promise<TuneResult> {
  const fractions = { holdout: 0.2, validation: 0.2 };
  return tune(table, { target, ...fractions, seed: 0, repeats, steps: 60, threads, rule });
}

/** A row of the table; counts and report are the first split's. */
function cells(result: TuneResult, method: string, title: string, metric: string): string[] {
  const found = result.methods.find((one) => one.method === method)!;
  const { mean, halfWidth } = found.test[metric]!;
  const digits = mean > 100 ? 0 : 3;
  const score = `${mean.toFixed(digits)} ± ${halfWidth.toFixed(digits)}`;
  const average = (values: readonly number[]): number =>
    values.reduce((sum, v) => sum + v, 0) / values.length;
  const loss = average(found.validationLoss).toPrecision(4);
  const seconds = average(found.seconds).toFixed(2);
  if (method !== "hypergradient") return [title, "–", "–", loss, score, "–", "–", "–", seconds];
  const { bias, status, innerGradients, products, storedBytes } = result.rule!;
  const counts = [innerGradients, products, storedBytes].map(String);
  return [title, bias === null ? "exact" : "biased", status, loss, score, ...counts, seconds];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
