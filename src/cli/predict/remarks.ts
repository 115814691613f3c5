// What differs between a new file and what the model was trained on, as lines for the terminal.

import type { Encoder, Table, UnseenLevels } from "../../data/index.ts";
import { formatCount, formatNumber, listNames } from "../../data/internal.ts";
import { renderTable } from "../terminal/table.ts";

/** Entries of a table. */
const shownEntries = 5;

/** Columns of the file that the model has no use for, the target and the id aside. */
export function ignoredColumns(encoder: Encoder, table: Table, known: readonly string[]): string[] {
  const inputs = new Set([...encoder.inputs.map(({ name }) => name), ...known]);
  const ignored = table.columns.map(({ name }) => name).filter((name) => !inputs.has(name));
  if (ignored.length === 0) return [];
  const are = ignored.length === 1 ? "is" : "are";
  return [
    `${formatCount(ignored.length, "column")} of ${table.source} ${are} not used by the model: ${listNames(ignored, shownEntries)}.`,
  ];
}

/** Levels that the model does not know, counted by column. */
export function unseenTable(
  unseen: readonly UnseenLevels[],
  rowCount: number,
  width: number,
): string[] {
  return draw(
    ["column", "unknown levels", "such as"],
    unseen.map(({ column, cells, levels }) => [
      column,
      `${cells} of ${formatCount(rowCount, "row")}`,
      listNames(levels, 3),
    ]),
    width,
  );
}

/** Missing cells in columns that had none in training, and what takes their place. */
export function missingTable(encoder: Encoder, aligned: Table, width: number): string[] {
  const rows = encoder.inputs.flatMap((input, i): string[][] => {
    const column = aligned.columns[i]!;
    const had = input.kind === "numeric" ? input.missingIndicator : input.missing;
    if (had) return [];
    const count =
      column.kind === "numeric"
        ? column.values.reduce((sum, value) => sum + Number(Number.isNaN(value)), 0)
        : column.codes.reduce((sum, code) => sum + Number(code < 0), 0);
    if (count === 0) return [];
    const instead = input.kind === "numeric" ? "the median of the training rows" : "no level";
    return [[input.name, `${count} of ${formatCount(aligned.rowCount, "row")}`, instead]];
  });
  return draw(["column", "missing as never in training", "taken as"], rows, width);
}

/** How far outside the training range a number counts, in widths of that range. */
const farOutside = 0.5;

/** Numbers far outside those of the training rows, for which a linear model only extrapolates. */
export function outsideTable(encoder: Encoder, aligned: Table, width: number): string[] {
  const rows = encoder.inputs.flatMap((input, i): string[][] => {
    const column = aligned.columns[i]!;
    if (input.kind !== "numeric" || column.kind !== "numeric" || input.range === undefined)
      return [];
    const [low, high] = input.range;
    const reach = farOutside * (high - low);
    const isFar = (value: number): boolean => value < low - reach || value > high + reach;
    const far = column.values.filter(isFar);
    if (far.length === 0) return [];
    const text = (value: number): string =>
      input.format?.kind === "date" ? isoDay(value) : formatNumber(value, 6);
    return [
      [
        input.name,
        `${far.length} of ${formatCount(aligned.rowCount, "row")}`,
        text(far[0]!),
        `${text(low)} to ${text(high)}`,
      ],
    ];
  });
  return draw(["column", "far outside the training range", "such as", "which is"], rows, width);
}

function isoDay(value: number): string {
  return new Date(Math.floor(value) * 86_400_000).toISOString().slice(0, 10);
}

function draw(head: readonly string[], rows: readonly string[][], width: number): string[] {
  if (rows.length === 0) return [];
  const cells = [head, ...rows.slice(0, shownEntries)].map((row) => row.map((text) => ({ text })));
  const more =
    rows.length > shownEntries ? [`… and ${rows.length - shownEntries} more columns.`] : [];
  return ["", ...renderTable(cells, { width, color: false, align: "left" }), ...more];
}
