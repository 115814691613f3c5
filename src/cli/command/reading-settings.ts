// How a table is read, as settings that tune, clean and predict share: what the reader is told, and how they are
// written in a command that repeats a run.

import type { ColumnKind, DateChoice, Decimal, ReadTableOptions } from "../../data/index.ts";
import { optionWords } from "./command-text.ts";

/** What a file does not say by itself, or not clearly; what is absent is found out. */
export interface ReadingSettings {
  header?: boolean;
  delimiter?: string;
  categorical?: readonly string[];
  numeric?: readonly string[];
  /** Words for a missing cell in every column. */
  missing?: readonly string[];
  decimal?: Decimal;
  /** Of all columns, or by column. */
  date?: DateChoice | Readonly<Record<string, DateChoice>>;
  encoding?: string;
  /** Lines above the table. */
  skip?: number;
  /** Rows at the end. */
  footer?: number;
  dropRagged?: boolean;
  /** Most bytes that a packed file may become. */
  maxUnpacked?: number;
}

/** The settings among a command's flags; what was not given is absent. */
export function readingSettings(flags: ReadingSettings): ReadingSettings {
  const given: Record<string, unknown> = {};
  for (const name of readingNames) if (flags[name] !== undefined) given[name] = flags[name];
  return given as ReadingSettings;
}

/** The names of the settings, as of the options without their dashes. */
const readingNames: readonly (keyof ReadingSettings)[] = [
  ...(["header", "delimiter", "decimal", "date", "missing", "encoding", "skip"] as const),
  ...(["footer", "dropRagged", "maxUnpacked", "categorical", "numeric"] as const),
];

/**
 * What the reader is told.
 *
 * @param target - its name or position; `isLabels` when its cells are classes by `--task`, and read as text.
 */
export function readerOptions(
  settings: ReadingSettings,
  target?: { name: string; isLabels: boolean },
): ReadTableOptions {
  const { header, delimiter, decimal, date, missing, encoding, skip } = settings;
  const { footer, dropRagged, maxUnpacked } = settings;
  const types: Record<string, ColumnKind> = {};
  for (const name of settings.categorical ?? []) types[name] = "categorical";
  for (const name of settings.numeric ?? []) types[name] = "numeric";
  return {
    ...(Object.keys(types).length === 0 ? {} : { types }),
    header,
    delimiter,
    decimal,
    dates: date,
    missing,
    encoding,
    skip,
    footer,
    dropRagged,
    maxUnpacked,
    expectedNames: target && [target.name],
    ...(target?.isLabels === true ? { labels: target.name } : {}),
  };
}

/** The options as words of a command that repeats a run, not yet quoted for a shell. */
export function readingWords(settings: ReadingSettings): string[] {
  const { header, delimiter, decimal, date, missing, encoding, skip } = settings;
  const { footer, dropRagged, maxUnpacked } = settings;
  const words: string[] = [];
  const add = (option: string, value: string | number | readonly string[] | undefined): void => {
    words.push(...optionWords(option, value));
  };
  if (header !== undefined) words.push(header ? "--header" : "--no-header");
  add("--delimiter", delimiter === "\t" ? "tab" : delimiter);
  add("--decimal", decimal);
  add("--date", typeof date === "object" ? datesByColumn(date) : date);
  add("--missing", missing);
  add("--encoding", encoding);
  add("--skip", skip);
  add("--footer", footer);
  if (dropRagged === true) words.push("--drop-ragged");
  add("--max-unpacked", maxUnpacked);
  add("--categorical", settings.categorical);
  add("--numeric", settings.numeric);
  return words;
}

function datesByColumn(orders: Readonly<Record<string, DateChoice>>): string[] {
  return Object.entries(orders).map(([name, order]) => `${name}=${order}`);
}
