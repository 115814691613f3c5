// Tables in plain text: columns aligned, transposed when the terminal is too narrow for them.

import { displayWidth } from "./text.ts";

/** How a table is drawn. */
export interface TableStyle {
  /** Columns of the terminal; `Infinity` when the output is not one. */
  width: number;
  /** Whether escape sequences for bold are allowed. */
  color: boolean;
  /** How columns after the first one are set; numbers stand to the right, the default, text to the left. */
  align?: "left" | "right";
}

/** One cell: what it says and whether it stands out. */
export interface Cell {
  text: string;
  strong?: boolean;
}

/**
 * Lines of a table whose first row is the heading. First column left, the others right aligned.
 * When the table is wider than `style.width` it is transposed; still too wide, it is a list.
 */
export function renderTable(rows: readonly (readonly Cell[])[], style: TableStyle): string[] {
  const upright = layOut(rows, style);
  if (upright.width <= style.width) return upright.lines;
  const transposed = layOut(transpose(rows), style);
  if (transposed.width <= style.width) return transposed.lines;
  return asList(rows, style);
}

/** Columns of the terminal that the table takes when it is not transposed. */
export function tableWidth(rows: readonly (readonly Cell[])[], style: TableStyle): number {
  return layOut(rows, style).width;
}

function layOut(
  rows: readonly (readonly Cell[])[],
  style: TableStyle,
): { lines: string[]; width: number } {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => displayWidth(row[column]!.text))),
  );
  const draw = (row: readonly Cell[]): string =>
    row
      .map((cell, column) => {
        const padding = " ".repeat(widths[column]! - displayWidth(cell.text));
        const text = paint(cell, style);
        return column === 0 || style.align === "left" ? text + padding : padding + text;
      })
      .join("  ")
      .trimEnd();
  const width = widths.reduce((sum, w) => sum + w + 2, -2);
  const [heading, ...body] = rows;
  const rule = "-".repeat(width);
  return { lines: [draw(heading!), rule, ...body.map(draw)], width };
}

function asList(rows: readonly (readonly Cell[])[], style: TableStyle): string[] {
  const [heading, ...body] = rows;
  return body.flatMap((row) => [
    row[0]!.text,
    ...row.slice(1).map((cell, i) => `  ${heading![i + 1]!.text}: ${paint(cell, style)}`),
  ]);
}

function transpose(rows: readonly (readonly Cell[])[]): Cell[][] {
  return rows[0]!.map((_, column) => rows.map((row) => row[column]!));
}

function paint(cell: Cell, style: TableStyle): string {
  return cell.strong === true && style.color ? `\u001b[1m${cell.text}\u001b[22m` : cell.text;
}
