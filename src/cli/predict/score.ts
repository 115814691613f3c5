// How good predictions are where the new file has the target too: the metrics of `tune`, on its rows.

import { describeMetric, metricsOfPrediction } from "../../automl/internal.ts";
import type { Prediction, TabularModel } from "../../automl/index.ts";
import {
  formatCount,
  formatNumber,
  listNames,
  matchLevels,
  parseNumber,
  quote,
} from "../../data/internal.ts";
import type { Column } from "../../data/index.ts";
import { renderTable } from "../terminal/table.ts";

/** The lines that say how good the predictions are, and which rows could not be judged. */
export function scoreLines(
  model: TabularModel,
  prediction: Prediction,
  column: Column,
  width: number,
): string[] {
  const { target } = model;
  const name = quote(target.name);
  const { values, unknown } =
    target.task === "regression" ? numbersOf(column) : classesOf(column, target.classes);
  const rows = [...values.keys()].filter((row) => !Number.isNaN(values[row]!));
  const missing = values.length - rows.length - unknown.rows;
  const left = [
    ...(missing > 0 ? [`${formatCount(missing, "row")} without a target`] : []),
    ...(unknown.rows > 0
      ? [
          `${formatCount(unknown.rows, "row")} with ${target.task === "regression" ? "no number" : "a class that the model does not know"}, ${listNames(unknown.texts, 5)}`,
        ]
      : []),
  ];
  if (rows.length === 0) {
    const why = left.length === 0 ? "there is no row" : left.join(", ");
    return [`The predictions are not scored by ${name}: ${why}.`];
  }
  const metrics = metricsOfPrediction(
    rowsOf(prediction, rows),
    Float64Array.from(rows, (row) => values[row]!),
  );
  const table = renderTable(
    [
      [{ text: `scored by ${name}` }, { text: formatCount(rows.length, "row") }],
      ...Object.entries(metrics).map(([key, value]) => [
        { text: describeMetric(key).title },
        { text: formatNumber(value) },
      ]),
    ],
    { width, color: false },
  );
  return ["", ...table, ...(left.length === 0 ? [] : [`Not scored: ${left.join(", ")}.`])];
}

interface Truth {
  /** [rows], the number or the class index; NaN where there is none. */
  values: Float64Array;
  /** Rows whose cell is no number or no known class. */
  unknown: { rows: number; texts: readonly string[] };
}

function numbersOf(column: Column): Truth {
  if (column.kind === "numeric") return { values: column.values, unknown: { rows: 0, texts: [] } };
  return fromLevels(column, column.levels.map(parseNumber));
}

function classesOf(column: Column & { kind: Column["kind"] }, classes: readonly string[]): Truth {
  if (column.kind === "numeric") {
    const codes = column.values.map((value) => classes.indexOf(String(value)));
    const values = Float64Array.from(codes, (code) => (code < 0 ? NaN : code));
    const strange = [...column.values].filter(
      (value, row) => !Number.isNaN(value) && codes[row]! < 0,
    );
    return {
      values,
      unknown: { rows: strange.length, texts: [...new Set(strange.map(String))] },
    };
  }
  const matched = matchLevels(column, classes).column;
  return fromLevels(
    matched,
    matched.levels.map((level) => {
      const place = classes.indexOf(level);
      return place < 0 ? NaN : place;
    }),
  );
}

function fromLevels(column: Column & { kind: "categorical" }, meaning: readonly number[]): Truth {
  const values = Float64Array.from(column.codes, (code) => (code < 0 ? NaN : meaning[code]!));
  const rows = column.codes.reduce(
    (sum, code) => sum + Number(code >= 0 && Number.isNaN(meaning[code]!)),
    0,
  );
  return {
    values,
    unknown: { rows, texts: column.levels.filter((_, k) => Number.isNaN(meaning[k]!)) },
  };
}

function rowsOf(prediction: Prediction, rows: readonly number[]): Prediction {
  if (prediction.task === "regression") {
    return { ...prediction, values: Float64Array.from(rows, (row) => prediction.values[row]!) };
  }
  const { classes, labels, classIndices, probabilities } = prediction;
  const probability = (_: unknown, i: number): number =>
    probabilities[rows[Math.floor(i / classes.length)]! * classes.length + (i % classes.length)]!;
  return {
    ...prediction,
    labels: rows.map((row) => labels[row]!),
    classIndices: Int32Array.from(rows, (row) => classIndices[row]!),
    probabilities: Float64Array.from({ length: rows.length * classes.length }, probability),
  };
}
