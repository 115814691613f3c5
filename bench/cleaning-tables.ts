/**
 * How many planted label errors `stackelberg clean` finds in real tables: `npm run bench:cleaning-tables -- [seeds]`. Needs
 * STACKELBERG_DATA, the data folder. Prints the table of docs/results/cleaning.md: precision among the first k rows, k the
 * number of errors, and average precision, for the score and for each of its two signs.
 */
import { join } from "node:path";
import { rankRows } from "../src/automl/cleaning/rank.ts";
import { averagePrecision } from "../src/automl/cleaning/score.ts";
import { precisionAtK } from "./cleaning/score.ts";
import {
  meanInterval,
  randomKey,
  randomStream,
  readTable,
  type Column,
  type Table,
} from "../src/data/index.ts";

const [seedList = "0,1,2,3,4,5,6,7,8,9", rates = "0.05,0.1,0.2"] = process.argv.slice(2);
const folder = process.env["STACKELBERG_DATA"];
/** File, target, rows drawn at most. */
const tables: readonly (readonly [file: string, target: string, rows: number])[] = [
  ["wdbc.data", "2", 2000],
  ["ionosphere.csv", "last", 2000],
  ["banknote_authentication.csv", "last", 2000],
  ["pima-indians-diabetes.csv", "last", 2000],
  ["wine.csv", "last", 2000],
  ["adult.data.gz", "last", 2000],
];
const signs = ["score", "probability", "influence"] as const;

if (folder === undefined) say("Left out: set STACKELBERG_DATA to the folder that holds tabular/.");
else {
  const precisions = signs.map((sign) => `precision at k: ${sign}`);
  const averages = ["score", "score − probability", "influence − probability"];
  const head = ["table", "rows", "planted", ...precisions];
  head.push(...averages.map((name) => `average precision: ${name}`));
  say(`| ${head.join(" | ")} |`);
  say(`| ${head.map((_, i) => (i === 0 ? "---" : "---:")).join(" | ")} |`);
  for (const [file, target, rows] of tables) {
    const { table } = await readTable(join(folder, "tabular", file), { header: false });
    for (const rate of rates.split(",").map(Number)) {
      await compare(file, drawn(table, rows), target, rate);
    }
  }
}

/** One line, over the seeds. */
async function compare(file: string, table: Table, target: string, plant: number): Promise<void> {
  const found = new Map<string, { precision: number; average: number }[]>();
  for (const seed of seedList.split(",").map(Number)) {
    const ranking = await rankRows(table, { target, plant, seed, threads: 1 });
    const planted = ranking.planted!;
    const count = planted.reduce((sum, v) => sum + v, 0);
    const scores = [ranking.score, ranking.probability.map((p) => -p), ranking.influence];
    signs.forEach((sign, i) => {
      const score = scores[i]!;
      const negated = Array.from(score, (v) => -v);
      const one = {
        precision: precisionAtK(negated, planted, count),
        average: averagePrecision(score, planted),
      };
      found.set(sign, [...(found.get(sign) ?? []), one]);
    });
  }
  const [score, probability, influence] = signs.map((sign) => found.get(sign)!);
  const gain = (of: typeof score): string =>
    estimate(of!.map(({ average }, i) => average - probability![i]!.average));
  const cells = [
    file.replace(/[._-].*/, ""),
    String(table.rowCount),
    `${100 * plant} %`,
    ...[score, probability, influence].map((of) => estimate(of!.map((v) => v.precision))),
    estimate(score!.map(({ average }) => average)),
    gain(score),
    gain(influence),
  ];
  say(`| ${cells.join(" | ")} |`);
}

/** The table's rows, or a fixed draw of `most` of them. */
function drawn(table: Table, most: number): Table {
  if (table.rowCount <= most) return table;
  const all = Int32Array.from({ length: table.rowCount }, (_, i) => i);
  const rows = randomStream(randomKey(0, "rows of a table")).shuffle(all).subarray(0, most).sort();
  const columns = table.columns.map((column): Column =>
    column.kind === "numeric"
      ? { ...column, values: Float64Array.from(rows, (row) => column.values[row]!) }
      : { ...column, codes: Int32Array.from(rows, (row) => column.codes[row]!) },
  );
  return { ...table, rowCount: most, columns };
}

function estimate(values: readonly number[]): string {
  const { mean, halfWidth } = meanInterval(values);
  return `${mean.toFixed(3)} ± ${halfWidth.toFixed(3)}`.replace("-", "−");
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
