// What is said about the data before a run begins: the task, the rows left out, the columns not used
// and those to be wary of, one short table each. The report and result.json have the whole lists.

import { formatCount, quote } from "../../data/internal.ts";
import {
  copiesSentence,
  leakRows,
  shownEntries,
  taskRows,
  type DataSummary,
} from "./data-summary.ts";
import { oneLine } from "../command/errors.ts";
import { renderTable } from "../terminal/table.ts";
import { shorten } from "../terminal/text.ts";

/** Longest cell of a table, in characters. */
const cellLimit = 100;

/** The lines for a terminal or another stream, tables with an empty line before each. */
export function announce(
  summary: DataSummary,
  stream: { isTTY?: boolean; columns?: number },
): string[] {
  // One cell is left free: a full line makes some terminals wrap.
  const width = stream.isTTY === true ? (stream.columns ?? 80) - 1 : Infinity;
  const { rows, columns, possibleLeaks, cautions } = summary;
  const table = (head: [string, string], body: readonly (readonly [string, string])[]): string[] =>
    draw([head, ...body.slice(0, shownEntries)], body.length, width);
  return [
    ...table(["target", summary.target], taskRows(summary)),
    ...table(
      ["rows left out", "why"],
      rows.leftOut.map(({ count, reason }) => [formatCount(count, "row"), reason]),
    ),
    ...table(
      [
        "columns not used",
        columns.notUsed.length > shownEntries
          ? `why (${formatCount(columns.notUsed.length, "column")}, the first ${shownEntries})`
          : "why",
      ],
      columns.notUsed.map(({ name, reason }) => [name, reason]),
    ),
    ...table(["possible leaks", "what they show"], leakRows(summary)),
    ...(possibleLeaks.some(({ used }) => used)
      ? ["What is not known when you predict must not be used: --exclude leaves columns out."]
      : []),
    ...copiesSentence(summary),
    ...cautions,
    "",
  ];
}

/**
 * What the terminal repeats after the result, so that no score stands without it; nothing where nothing is to say.
 *
 * @param command - runs without these columns; it stands on a line of its own, so that it can be copied. Undefined when
 *   nothing would be left.
 * @param wrap - breaks a sentence to the terminal's width.
 */
export function leakLines(
  summary: DataSummary,
  command: string | undefined,
  wrap: (sentence: string) => string[],
): string[] {
  const leaks = leakRows(summary, true);
  if (leaks.length === 0) return [];
  const shown = leaks.slice(0, shownEntries).map(([name, sign]) => `${quote(name)} ${sign}`);
  const more = leaks.length > shownEntries ? `; and ${leaks.length - shownEntries} more` : "";
  return [
    "",
    ...wrap(
      `Possible leaks among the columns used: ${shown.join("; ")}${more}. If they are not known when you predict, the result above is too good to be true. ${command === undefined ? "No other column is used." : "Without them:"}`,
    ),
    ...(command === undefined ? [] : [`  ${command}`]),
  ];
}

function draw(
  rows: readonly (readonly [string, string])[],
  count: number,
  width: number,
): string[] {
  if (count === 0) return [];
  const cells = rows.map((row) =>
    row.map((text, j) => ({ text: shorten(oneLine(text), j === 0 ? 40 : cellLimit) })),
  );
  const left = count - (rows.length - 1);
  const more = left > 0 ? [`… and ${left} more; the report and result.json list all.`] : [];
  return ["", ...renderTable(cells, { width, color: false, align: "left" }), ...more];
}
