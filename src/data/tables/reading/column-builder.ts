/**
 * Collects the cells of one column while records stream by, as plain numbers or as text. Cells that are no plain
 * numbers among numbers are counted, and the file is read once more with that column as text, so that numbers
 * never cost a string.
 */
import { compactDate } from "../cells/written-dates.ts";
import { defaultMissing, missingTest } from "../cells/missing-words.ts";
import { parseNumber } from "../numbers.ts";
import type { ColumnKind } from "../cells/cell-format.ts";
import type { Written } from "../table.ts";

/** Spellings of a numeric column that are kept: more are no classes. */
const writtenLimit = 200;

const isMissingNumber = missingTest(defaultMissing);

/** Room to begin with. A header can name many more columns than rows follow, so memory is taken as the rows come. */
const firstRows = 16;

export class ColumnBuilder {
  readonly name: string;
  readonly kind: ColumnKind;
  missing: number = 0;
  /** Cells that are not plain numbers, in a column that was taken for numbers. */
  textCells: number = 0;
  /** Distinct words for a missing number, in a column that was taken for numbers. */
  readonly words: Set<string> = new Set();
  /** Whether every cell so far is a date such as 20240131. */
  private allDates = true;
  /** Whether some cell is a code such as 007. */
  private hasCodes = false;
  private points = 0;
  private groupedPoints = 0;
  rowCount: number = 0;
  private values: Float64Array | Int32Array;
  private readonly codeOf: Map<string, number> = new Map();
  /** [rows], how each number was written; undefined once there are too many spellings. */
  private spelling: Int32Array | undefined;
  /** Byte at which the record of each level's first appearance begins. */
  readonly firstPlace: number[] = [];
  /** Cells of each level. */
  readonly counts: number[] = [];

  constructor(name: string, kind: ColumnKind) {
    this.name = name;
    this.kind = kind;
    this.values = kind === "numeric" ? new Float64Array(firstRows) : new Int32Array(firstRows);
    if (kind === "numeric") this.spelling = new Int32Array(firstRows);
  }

  /** @param place - byte at which the record begins. */
  add(cell: string, place: number): void {
    this.makeRoom();
    if (this.kind === "numeric") {
      this.addNumber(cell, place);
      return;
    }
    this.values[this.rowCount++] = this.code(cell, place);
  }

  addMissing(): void {
    this.makeRoom();
    this.missing++;
    if (this.spelling !== undefined) this.spelling[this.rowCount] = -1;
    this.values[this.rowCount++] = this.kind === "numeric" ? NaN : -1;
  }

  private makeRoom(): void {
    const { values, spelling, rowCount } = this;
    if (rowCount < values.length) return;
    const rows = 2 * rowCount;
    this.values = values instanceof Float64Array ? new Float64Array(rows) : new Int32Array(rows);
    this.values.set(values);
    if (spelling === undefined) return;
    this.spelling = new Int32Array(rows);
    this.spelling.set(spelling);
  }

  private addNumber(cell: string, place: number): void {
    if (isMissingNumber(cell)) {
      this.words.add(cell);
      this.addMissing();
      return;
    }
    const value = parseNumber(cell);
    if (value !== value) this.textCells++;
    else this.look(cell);
    if (this.spelling !== undefined) {
      this.spelling[this.rowCount] = this.code(cell, place);
      if (this.codeOf.size > writtenLimit) {
        this.spelling = undefined;
        this.codeOf.clear();
      }
    }
    this.values[this.rowCount++] = value;
  }

  /** Watches for plain numbers that may be something else. */
  private look(cell: string): void {
    if (this.allDates && compactDate(cell) === undefined) this.allDates = false;
    if (cell.charCodeAt(0) === 48 && cell.length > 1 && /^\d+$/.test(cell)) this.hasCodes = true;
    if (this.points === this.groupedPoints && cell.includes(".")) {
      this.points++;
      if (/^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(cell)) this.groupedPoints++;
    }
  }

  private code(cell: string, place: number): number {
    let code = this.codeOf.get(cell);
    if (code === undefined) {
      code = this.codeOf.size;
      this.codeOf.set(cell, code);
      this.firstPlace.push(place);
      this.counts.push(0);
    }
    this.counts[code]!++;
    return code;
  }

  /** Whether a column that was taken for numbers must be read as text to see what it is. */
  get isDoubtful(): boolean {
    const numbers = this.rowCount - this.missing;
    return (
      this.textCells > 0 ||
      this.hasCodes ||
      (this.allDates && numbers >= 5) ||
      (numbers === 0 && this.words.size > 1)
    );
  }

  /** What the points of plain numbers say: that they are decimal signs, that they may group thousands, or nothing. */
  get pointsAre(): "decimal" | "either" | undefined {
    if (this.kind !== "numeric" || this.points === 0) return undefined;
    return this.points === this.groupedPoints ? "either" : "decimal";
  }

  /** Distinct texts in order of first appearance; of numbers too while they are few. */
  levels(): string[] {
    return [...this.codeOf.keys()];
  }

  /** [rows], the numbers. */
  numbers(): Float64Array {
    return (this.values as Float64Array).slice(0, this.rowCount);
  }

  /** [rows], indices into the levels, -1 where the cell is empty. */
  codes(): Int32Array {
    return (this.values as Int32Array).slice(0, this.rowCount);
  }

  /** How the numbers are written, while the spellings are few. */
  written(): Written | undefined {
    if (this.spelling === undefined) return undefined;
    return { codes: this.spelling.slice(0, this.rowCount), levels: this.levels() };
  }
}
