/**
 * From collected cells to columns. Each column is judged by its own cells first; where these leave open whether 1,234
 * is one or a thousand, or which of 3/4/2024 is the month, the clear columns of the file decide.
 */
import type {
  ColumnKind,
  CellFormat,
  DateOrder,
  Decimal,
  LearnedFormat,
} from "../cells/cell-format.ts";
import { interpretColumn } from "../cells/interpret-column.ts";
import type { ColumnHints, Interpretation } from "../cells/interpretation.ts";
import type { ColumnBuilder } from "./column-builder.ts";
import { lineOfPlace } from "./parse-records.ts";
import { readColumns, type CsvFile } from "./read-columns.ts";
import type { ReadTableOptions } from "./options.ts";
import type { ColumnNotes } from "./reading-facts.ts";
import { DataError } from "../../data-error.ts";
import type { Column, Table } from "../table.ts";
import { quote } from "../../words.ts";

/** A column's cells and what they are taken for; plain numbers need no interpretation. */
interface Judged {
  readonly builder: ColumnBuilder;
  readonly meaning: Interpretation | undefined;
}

/** Levels up to which the spellings of a numeric column are kept. */
const writtenLimit = 200;

/**
 * @param builders - [width], all read.
 * @param forced - [width], the kinds that were asked for.
 * @throws {@link DataError} for cells that an asked-for kind does not allow, or that are almost numbers.
 */
export function understandColumns(
  file: CsvFile & { readonly isUnnamed: readonly boolean[] },
  builders: readonly (ColumnBuilder | undefined)[],
  forced: readonly (ColumnKind | undefined)[],
  options: ReadTableOptions,
): { table: Table; notes: { columns: ColumnNotes[]; emptyColumns: number } } {
  const hints = file.names.map((name, j) => hintsOf(name, forced[j], file.delimiter, options));
  const own = readDoubtful(file, builders as ColumnBuilder[], (builder) => builder.isDoubtful);
  let judged = own.map((builder, j) => judge(builder, hints[j]!));

  const evidence = fileEvidence(judged, hints);
  const decimal = options.decimal ?? evidence.fileDecimal;
  // In a model's new file, points that may group thousands are looked at where the model did not learn points.
  const isGrouped = (builder: ColumnBuilder, j: number): boolean =>
    builder.pointsAre === "either" &&
    (decimal === "," || (hints[j]!.learned === "whole" && file.delimiter === ";"));
  const all = readDoubtful(
    file,
    judged.map(({ builder }) => builder),
    isGrouped,
  );
  judged = all.map((builder, j) => {
    const before = judged[j]!;
    const { meaning } = before;
    const isSettled =
      meaning === undefined ||
      meaning.kind === "categorical" ||
      (meaning.kind === "numeric" && ["cells", "given"].includes(meaning.basis));
    if (builder === before.builder && isSettled) return before;
    return judge(builder, { ...hints[j]!, ...evidence });
  });
  return finish(file, judged, forced, options);
}

function hintsOf(
  name: string,
  wanted: ColumnKind | undefined,
  delimiter: string,
  options: ReadTableOptions,
): ColumnHints {
  const { dates, learned, decimal } = options;
  return {
    wanted,
    decimal,
    delimiter,
    date: typeof dates === "object" ? dates[name] : dates,
    learned: learned?.formats.get(name),
    learnedWords: learned?.words.get(name),
  };
}

/** Reads the file again for the columns of numbers that must be seen as text. */
function readDoubtful(
  file: CsvFile,
  builders: readonly ColumnBuilder[],
  isDoubtful: (builder: ColumnBuilder, j: number) => boolean,
): ColumnBuilder[] {
  const kinds = builders.map((builder, j) =>
    builder.kind === "numeric" && isDoubtful(builder, j) ? "categorical" : undefined,
  );
  if (kinds.every((kind) => kind === undefined)) return [...builders];
  const again = readColumns(file, kinds).builders;
  return builders.map((builder, j) => again[j] ?? builder);
}

function judge(builder: ColumnBuilder, hints: ColumnHints): Judged {
  if (builder.kind === "numeric") return { builder, meaning: undefined };
  const cells = { levels: builder.levels(), counts: builder.counts };
  return { builder, meaning: interpretColumn(cells, hints) };
}

/**
 * The decimal sign and the order of dates that the clear columns agree on, and those that the model did not learn for
 * the columns that show them: then a file is not written as the training file was.
 */
function fileEvidence(
  judged: readonly Judged[],
  hints: readonly ColumnHints[],
): Pick<ColumnHints, "fileDecimal" | "fileOrder" | "driftDecimals" | "driftOrders"> {
  const decimals = new Set<Decimal>();
  const orders = new Set<DateOrder>();
  const driftDecimals = new Set<Decimal>();
  const driftOrders = new Set<DateOrder>();
  for (const [j, { builder, meaning }] of judged.entries()) {
    const { learned } = hints[j]!;
    const decimal = shownDecimal(builder, meaning);
    if (decimal !== undefined) {
      decimals.add(decimal);
      if (learned !== undefined && learnedDecimal(learned) !== decimal) driftDecimals.add(decimal);
    }
    const order = shownOrder(meaning);
    if (order !== undefined) {
      orders.add(order);
      const isLearned = typeof learned === "object" && learned.kind === "date";
      if (isLearned && learned.order !== order) driftOrders.add(order);
    }
  }
  return {
    fileDecimal: onlyOne(decimals),
    fileOrder: onlyOne(orders),
    driftDecimals,
    driftOrders,
  };
}

function shownDecimal(
  builder: ColumnBuilder,
  meaning: Interpretation | undefined,
): Decimal | undefined {
  if (builder.pointsAre === "decimal") return ".";
  if (meaning?.kind !== "numeric" || !["cells", "given"].includes(meaning.basis)) return undefined;
  const { format } = meaning;
  return format?.kind === "number" && saysDecimal(builder, format) ? format.decimal : undefined;
}

function learnedDecimal(learned: LearnedFormat): Decimal | undefined {
  if (learned === "plain") return ".";
  return typeof learned === "object" && learned.kind === "number" ? learned.decimal : undefined;
}

function shownOrder(meaning: Interpretation | undefined): DateOrder | undefined {
  if (meaning?.kind !== "numeric" || !["cells", "given"].includes(meaning.basis)) return undefined;
  const { format } = meaning;
  return format?.kind === "date" && format.order !== "ymd" ? format.order : undefined;
}

function saysDecimal(builder: ColumnBuilder, format: CellFormat & { kind: "number" }): boolean {
  return format.decimal === "," || builder.levels().some((level) => /[.,]/.test(level));
}

function onlyOne<Value>(values: ReadonlySet<Value>): Value | undefined {
  return values.size === 1 ? [...values][0] : undefined;
}

function finish(
  file: CsvFile & { readonly isUnnamed: readonly boolean[] },
  judged: readonly Judged[],
  forced: readonly (ColumnKind | undefined)[],
  options: ReadTableOptions,
): { table: Table; notes: { columns: ColumnNotes[]; emptyColumns: number } } {
  const columns: Column[] = [];
  const notes: ColumnNotes[] = [];
  let emptyColumns = 0;
  const rowCount = judged[0]?.builder.rowCount ?? 0;
  for (const [j, { builder, meaning }] of judged.entries()) {
    const isUnnamed = file.isUnnamed[j]!;
    const isTrailing = isUnnamed && (file.header || j > 0);
    if (isTrailing && builder.missing === rowCount && builder.words.size === 0 && rowCount > 0) {
      emptyColumns++;
      continue;
    }
    if (meaning?.kind === "refused") throw refusal(file, builder, meaning);
    const column = columnOf(builder, meaning, isUnnamed && file.header);
    columns.push(column);
    notes.push(
      notesOf(
        file,
        builder,
        meaning,
        forced[j] !== undefined,
        options.learned?.formats.get(builder.name),
      ),
    );
  }
  return {
    table: { source: file.source, rowCount, columns },
    notes: { columns: notes, emptyColumns },
  };
}

function columnOf(
  builder: ColumnBuilder,
  meaning: Interpretation | undefined,
  isUnnamed: boolean,
): Column {
  const { name } = builder;
  const unnamed = isUnnamed ? { isUnnamed: true as const } : {};
  if (meaning === undefined) {
    const written = builder.written();
    return {
      kind: "numeric",
      name,
      values: builder.numbers(),
      ...(written === undefined ? {} : { written }),
      ...unnamed,
    };
  }
  const codes = builder.codes();
  const levels = builder.levels();
  if (meaning.kind !== "numeric") return { kind: "categorical", name, codes, levels, ...unnamed };
  const { values, words, format } = meaning;
  const isWord = new Set(words);
  const kept = codes.map((code) => (isWord.has(code) ? -1 : code));
  return {
    kind: "numeric",
    name,
    values: Float64Array.from(kept, (code) => (code < 0 ? NaN : values[code]!)),
    ...(format === undefined ? {} : { format }),
    ...(words.length === 0 ? {} : { words: words.map((level) => levels[level]!) }),
    ...(levels.length > writtenLimit ? {} : { written: { codes: kept, levels } }),
    ...unnamed,
  };
}

function refusal(
  file: CsvFile,
  builder: ColumnBuilder,
  { level, why }: Interpretation & { kind: "refused" },
): DataError {
  const line = lineOfPlace(file.text, builder.firstPlace[level]!);
  return new DataError(
    `${file.source}, line ${line}, column ${quote(builder.name)}: ${quote(builder.levels()[level]!)} ${why}.`,
  );
}

function notesOf(
  file: CsvFile,
  builder: ColumnBuilder,
  meaning: Interpretation | undefined,
  isForced: boolean,
  learned: LearnedFormat | undefined,
): ColumnNotes {
  const levels = builder.kind === "categorical" ? builder.levels() : [];
  const words =
    meaning?.kind === "numeric"
      ? meaning.words.map((level) => ({ word: levels[level]!, count: builder.counts[level]! }))
      : [];
  return {
    name: builder.name,
    isForced,
    missing: builder.missing + words.reduce((sum, { count }) => sum + count, 0),
    words,
    isEither:
      builder.pointsAre === "either" ||
      (meaning?.kind === "numeric" && meaning.format === undefined && meaning.basis === "usual"),
    whyText: meaning?.kind === "categorical" ? meaning.why : undefined,
    learned,
    firstLine: (level) => lineOfPlace(file.text, builder.firstPlace[level]!),
  };
}
