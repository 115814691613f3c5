// The options by which a table is read, as the user types them: tune, clean and predict share them.

import type { Command } from "commander";
import type { DateChoice, Decimal } from "../../data/index.ts";
import { UsageError } from "./errors.ts";
import { take } from "./option-readers.ts";
import { parseBytes, parseDelimiter, parseNames, parseWhole } from "./options.ts";

/** Adds the options to a command; kinds of columns are left out where a model knows them. */
export function addReadingOptions(
  command: Command,
  { kinds = true }: { kinds?: boolean } = {},
): Command {
  command
    .option("--header", "the first line holds the column names (default: detected)")
    .option("--no-header", "the first line is data")
    .option(
      "--delimiter <character>",
      "what separates cells, such as ; or tab, or ' ' for runs of blanks (default: detected)",
      take(parseDelimiter, "--delimiter"),
    )
    .option(
      "--decimal <sign>",
      "decimal sign, a comma or a point, where 1,234 could be either (default: detected)",
      take(parseDecimalSign, "--decimal"),
    )
    .option(
      "--date <order>",
      "dmy, mdy or ymd where 3/4/2024 could be either; dmy@1950 counts two-digit years from 1950; by column: due=dmy,paid=mdy (default: detected)",
      take(parseDateOrder, "--date"),
    )
    .option(
      "--missing <a,b>",
      "words for missing cells in every column; in columns of numbers NA, null, -, #N/A and their like are missing anyway",
      take(parseWords, "--missing"),
    )
    .option(
      "--encoding <name>",
      "encoding of the file, such as windows-1252 or utf-16le (default: detected)",
      take(parseEncoding, "--encoding"),
    )
    .option(
      "--skip <n>",
      "lines above the table to leave out (default: detected)",
      take((option, text) => parseWhole(option, text, 0), "--skip"),
    )
    .option(
      "--footer <n>",
      "rows at the end to leave out, such as totals (default: detected)",
      take((option, text) => parseWhole(option, text, 0), "--footer"),
    )
    .option("--drop-ragged", "leave out rows with another number of cells")
    .option(
      "--max-unpacked <size>",
      "what a .csv.gz file may unpack to at most (default: 256MB)",
      take(parseBytes, "--max-unpacked"),
    );
  if (kinds) {
    command
      .option(
        "--categorical <a,b>",
        "columns to read as categories",
        take(parseNames, "--categorical"),
      )
      .option("--numeric <c,d>", "columns to read as numbers", take(parseNames, "--numeric"));
  }
  return command;
}

function parseDecimalSign(option: string, text: string): Decimal {
  const sign = { comma: ",", point: ".", ",": ",", ".": "." }[text.trim().toLowerCase()];
  if (sign !== "," && sign !== ".") {
    throw new UsageError(`${option} must be a comma or a point, not "${text}"`);
  }
  return sign;
}

/** An order for all columns, `dmy`, or for some, `due=dmy,paid=mdy`. */
function parseDateOrder(
  option: string,
  text: string,
): DateChoice | Readonly<Record<string, DateChoice>> {
  if (!text.includes("=")) return orderOf(option, text);
  const orders: Record<string, DateChoice> = {};
  for (const part of parseNames(option, text)) {
    const at = part.lastIndexOf("=");
    if (at < 1) {
      throw new UsageError(
        `${option} must be one order, or an order for each column such as due=dmy,paid=mdy, not "${text}"`,
      );
    }
    orders[part.slice(0, at)] = orderOf(option, part.slice(at + 1));
  }
  return orders;
}

/** `dmy`, or `dmy@1950` to take two-digit years as those from 1950 to 2049. */
function orderOf(option: string, text: string): DateChoice {
  const [written = "", year, ...rest] = text.split("@");
  const order = written.toLowerCase().replaceAll(/[^a-z]/g, "");
  if (order !== "dmy" && order !== "mdy" && order !== "ymd") {
    throw new UsageError(`${option} must be dmy, mdy or ymd, not "${text}"`);
  }
  if (year === undefined) return order;
  if (!/^(1[0-9]|20)\d{2}$/.test(year) || rest.length > 0) {
    throw new UsageError(
      `${option} must have a year of four digits after the @, the first that two digits stand for, not "${text}"`,
    );
  }
  return `${order}@${Number(year)}`;
}

function parseWords(option: string, text: string): string[] {
  const words = text
    .split(/(?<!\\),/)
    .map((word) => word.replaceAll("\\,", ",").trim())
    .filter((word) => word !== "");
  if (words.length === 0) {
    throw new UsageError(`${option} must be words separated by commas, not "${text}"`);
  }
  return words;
}

function parseEncoding(option: string, text: string): string {
  try {
    return new TextDecoder(text.trim()).encoding;
  } catch {
    throw new UsageError(
      `${option} must be an encoding such as utf-8, utf-16le or windows-1252, not "${text}"`,
    );
  }
}
