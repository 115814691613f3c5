/**
 * Collects the cells of one column while records stream by. A column starts out as numbers or as text;
 * text found among numbers is counted and the file is read once more with that column as text, so that
 * numbers never cost a string.
 */
import { parseNumber } from "./numbers.ts";
import type { Column, ColumnKind } from "./table.ts";

export class ColumnBuilder {
  readonly name: string;
  readonly kind: ColumnKind;
  missing: number = 0;
  /** Cells that are not numbers, in a column that was taken for numbers. */
  textCells: number = 0;
  rowCount: number = 0;
  private readonly values: Float64Array | Int32Array;
  private readonly codeOf: Map<string, number> = new Map();
  /** Row of each level's first appearance. */
  readonly firstRow: number[] = [];

  constructor(name: string, kind: ColumnKind, capacity: number) {
    this.name = name;
    this.kind = kind;
    this.values = kind === "numeric" ? new Float64Array(capacity) : new Int32Array(capacity);
  }

  add(cell: string): void {
    if (this.kind === "numeric") {
      const value = parseNumber(cell);
      if (value !== value) this.textCells++;
      this.values[this.rowCount++] = value;
      return;
    }
    let code = this.codeOf.get(cell);
    if (code === undefined) {
      code = this.codeOf.size;
      this.codeOf.set(cell, code);
      this.firstRow.push(this.rowCount);
    }
    this.values[this.rowCount++] = code;
  }

  addMissing(): void {
    this.missing++;
    this.values[this.rowCount++] = this.kind === "numeric" ? NaN : -1;
  }

  /** Distinct texts in order of first appearance; none for numbers. */
  levels(): string[] {
    return [...this.codeOf.keys()];
  }

  finish(): Column {
    const { name, values, rowCount } = this;
    if (values instanceof Float64Array)
      return { kind: "numeric", name, values: values.slice(0, rowCount) };
    return {
      kind: "categorical",
      name,
      codes: values.slice(0, rowCount),
      levels: this.levels(),
    };
  }
}

/** The set of words for a missing cell, as a test; case and surrounding blanks do not matter. */
export function missingTest(words: readonly string[]): (cell: string) => boolean {
  const known = new Set(words.map((word) => word.trim().toLowerCase()));
  const longest = Math.max(0, ...[...known].map((word) => word.length));
  return (cell) => cell.length <= longest && (known.has(cell) || known.has(cell.toLowerCase()));
}
