// The table of methods at the end of a run.

import { familyNamed, type MethodResult, type TuneResult } from "../../automl/index.ts";
import { formatEstimate, formatNumber } from "../../data/internal.ts";
import { renderTable, tableWidth, type Cell, type TableStyle } from "../terminal/table.ts";
import type { Comparison } from "../../automl/internal.ts";

/**
 * The table of methods at the end of a run: validation loss, test metrics, seconds per split. Short
 * names are used, then the table is transposed, when the terminal is too narrow.
 */
export function methodTable(
  result: TuneResult,
  comparison: Comparison,
  style: TableStyle,
): string[] {
  const full = methodRows(result, comparison, ({ title }) => title);
  if (tableWidth(full, style) <= style.width) return renderTable(full, style);
  return renderTable(
    methodRows(result, comparison, ({ method, title }) => shortTitle(result, method) ?? title),
    style,
  );
}

/** The name of a method where its title is too long. */
function shortTitle({ model }: TuneResult, name: string): string | undefined {
  const { methods } = familyNamed(model.family);
  return methods.find((method) => method.name === name)?.shortTitle;
}

function methodRows(
  result: TuneResult,
  comparison: Comparison,
  titleOf: (method: MethodResult) => string,
): Cell[][] {
  const header: Cell[] = [
    { text: "method" },
    { text: "validation loss" },
    ...comparison.metrics.map(({ metric }) => ({ text: `test ${metric.title}` })),
    { text: "seconds" },
  ];
  const rows = result.methods.map((method): Cell[] => [
    { text: titleOf(method) },
    { text: formatNumber(meanOf(method.validationLoss)) },
    ...comparison.metrics.map(({ metric, best }) => {
      const estimate = method.test[metric.key];
      const text = estimate === undefined ? "–" : formatEstimate(estimate.mean, estimate.halfWidth);
      return best === method.method ? { text: `${text} *`, strong: true } : { text };
    }),
    { text: meanOf(method.seconds).toFixed(2) },
  ]);
  return [header, ...rows];
}

/** Arithmetic mean; NaN of nothing. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
