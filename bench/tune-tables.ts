/**
 * What `tune` finds on real tables with its default options: `npm run bench:tune-tables -- [tables] [repeats] [steps]`. Needs
 * STACKELBERG_DATA, the data folder. Prints a row of docs/results/tune.md for each table: the test metric of the three
 * methods, the paired difference of the searched coefficients to the best single one, and how far the splits left it.
 */
import { join } from "node:path";
import { tune } from "../src/automl/tabular/tune.ts";
import type { MethodResult, TuneResult } from "../src/automl/tabular/types.ts";
import { meanInterval, readTable } from "../src/data/index.ts";

/** File below the data folder, and target. */
const tables: Readonly<Record<string, readonly [string, string]>> = {
  iris: ["tabular/iris.csv", "last"],
  wine: ["tabular/wine.csv", "last"],
  parkinsons: ["tabular/parkinsons.data", "status"],
  penguins: ["tables/penguins.csv.gz", "species"],
  ionosphere: ["tabular/ionosphere.csv", "last"],
  wdbc: ["tabular/wdbc.data", "c2"],
  soybean: ["tables/soybean.csv.gz", "Class"],
  "breast-cancer": ["tabular/breast-cancer-wisconsin.csv", "last"],
  pima: ["tabular/pima-indians-diabetes.csv", "last"],
  vehicle: ["tables/vehicle.csv.gz", "Class"],
  sacramento: ["tables/sacramento.csv.gz", "price"],
  "german-credit": ["tables/german-credit.csv.gz", "Class"],
  concrete: ["tables/concrete.csv.gz", "compressive_strength"],
  banknote: ["tabular/banknote_authentication.csv", "last"],
  attrition: ["tables/attrition.csv.gz", "Attrition"],
  "winequality-red": ["tabular/winequality-red.csv", "last"],
  abalone: ["tabular/abalone.csv", "last"],
  "credit-data": ["tables/credit-data.csv.gz", "Status"],
  spam: ["tables/spam.csv.gz", "type"],
  "mlc-churn": ["tables/mlc-churn.csv.gz", "churn"],
  "california-housing": ["tabular/california-housing.csv.gz", "median_house_value"],
  ames: ["tables/ames.csv.gz", "Sale_Price"],
  adult: ["tabular/adult.data.gz", "last"],
};

const folder = process.env["STACKELBERG_DATA"];
const [names = Object.keys(tables).join(","), repeats = "5", steps = "60"] = process.argv.slice(2);

if (folder === undefined) {
  say("Left out: set STACKELBERG_DATA to the folder that holds tabular/ and tables/.");
} else {
  say(
    "| table | rows | inputs | metric | default | single | per column | minus single | shares | unsolved | seconds |",
  );
  say("| --- | --: | --: | --- | --: | --: | --: | --: | --- | --: | --: |");
  for (const name of names.split(",")) await measure(folder, name);
}

async function measure(folder: string, name: string): Promise<void> {
  const known = tables[name];
  if (known === undefined) {
    throw new RangeError(
      `tune-tables: the tables are ${Object.keys(tables).join(", ")}; ${name} came.`,
    );
  }
  const [file, target] = known;
  const { table } = await readTable(join(folder, file));
  const result = await tune(table, {
    target,
    holdout: 0.2,
    seed: 0,
    repeats: Number(repeats),
    steps: Number(steps),
  });
  say(`| ${cells(name, result).join(" | ")} |`);
}

function cells(name: string, result: TuneResult): string[] {
  const metric = result.task === "regression" ? "rmse" : "logLoss";
  const [plain, single, columns] = result.methods as [MethodResult, MethodResult, MethodResult];
  const values = (method: MethodResult): number[] => method.test[metric]!.values;
  const differences = values(columns).map((value, i) => value - values(single)[i]!);
  const difference = meanInterval(differences, { testFraction: 0.2 });
  const digits = (value: number): string => value.toPrecision(4);
  const beside = Math.abs(difference.mean) > difference.halfWidth ? " *" : "";
  return [
    name,
    String(result.rows.total),
    String(result.inputs.length),
    metric,
    ...[plain, single, columns].map((method) => digits(method.test[metric]!.mean)),
    `${digits(difference.mean)} ± ${difference.halfWidth.toPrecision(2)}${beside}`,
    columns.shares!.join(", "),
    String(result.notes.filter((note) => note.includes("a fit ended before its minimum")).length),
    result.seconds.toFixed(0),
  ];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
