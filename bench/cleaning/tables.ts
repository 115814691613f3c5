/** The results as Markdown: means over the seeds with their 95 % intervals, a row for each method. */
import { meanInterval } from "../../src/data/index.ts";
import type { Result } from "./clean.ts";

interface Column {
  readonly name: string;
  readonly read: (result: Result) => number | undefined;
  readonly format: (value: number) => string;
  readonly interval: boolean;
}

const percent = (name: keyof Result, title: string, digits: number, interval: boolean): Column => ({
  name: `${title}, %`,
  read: (result) => {
    const value = result[name] as number | undefined;
    return value === undefined ? undefined : 100 * value;
  },
  format: (value) => value.toFixed(digits),
  interval,
});
const plain = (name: keyof Result, title: string, scale: number, digits: number): Column => ({
  name: title,
  read: (result) => {
    const value = result[name] as number | undefined;
    return value === undefined ? undefined : value / scale;
  },
  format: (value) => value.toFixed(digits),
  interval: false,
});

const columns: readonly Column[] = [
  percent("accuracy", "test accuracy", 2, true),
  percent("refitted", "refitted", 2, true),
  percent("joined", "with validation rows", 2, true),
  percent("f1", "F1", 2, true),
  percent("precision", "precision", 1, false),
  percent("recall", "recall", 1, false),
  percent("auc", "AUC", 2, true),
  plain("outerSteps", "outer steps", 1, 0),
  plain("seconds", "seconds", 1, 1),
  plain("storedFloats", "stored numbers", 1, 0),
  plain("peakBytes", "peak memory, MiB", 2 ** 20, 0),
];

/** All columns of every method. */
export function resultTable(results: readonly Result[]): string {
  const head = ["method", "seeds", ...columns.map(({ name }) => name)];
  const lines = titlesOf(results).map((title) => {
    const own = results.filter((result) => result.title === title);
    return [
      title,
      String(own.length),
      ...columns.map(({ read, format, interval }) => estimate(own.map(read), format, interval)),
    ];
  });
  return markdown([head, ...lines]);
}

/** Accuracy with the weighted training rows beside the validation rows, minus that of the latter alone, by seed. */
export function gainTable(results: readonly Result[]): string {
  const alone = results.filter(({ title }) => title === "validation rows alone");
  const lines = titlesOf(results).flatMap((title) => {
    const own = results.filter((result) => result.title === title && result.joined !== undefined);
    if (own.length === 0) return [];
    const gains = own.map(({ joined, seed }) => {
      const base = alone.find((result) => result.seed === seed)!;
      return 100 * (joined! - base.accuracy);
    });
    return [[title, estimate(gains, (v) => v.toFixed(2).replace("-", "−"), true)]];
  });
  return markdown([["weights", "points gained"], ...lines]);
}

function titlesOf(results: readonly Result[]): string[] {
  return [...new Set(results.map(({ title }) => title))];
}

function estimate(
  values: readonly (number | undefined)[],
  format: Column["format"],
  interval: boolean,
): string {
  const present = values.filter((v) => v !== undefined);
  if (present.length === 0) return "–";
  const { mean, halfWidth, n } = meanInterval(present);
  return interval && n > 2 ? `${format(mean)} ± ${format(halfWidth)}` : format(mean);
}

function markdown([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head!.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head!, rule, ...rows].map(line).join("\n");
}
