// Commands as they are printed: every one runs as it stands, in the folder where it was printed, for
// a clone as for an installed package. Everything that prints a command takes it from here.

import { existsSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join, relative, sep } from "node:path";

/** How the running program was started. */
export interface ProgramStart {
  /** The script, absolute, as Node was given it. */
  main: string;
  /** Options of Node itself. */
  execArgv: readonly string[];
  cwd: string;
  /** The variable PATH. */
  path: string;
}

/**
 * The words that start this program again: `stackelberg` where it is on the path, `npx stackelberg`
 * where a folder above has it installed, otherwise Node with the script's place.
 */
export function programWords(start: ProgramStart = thisStart()): string[] {
  const { main, execArgv, cwd, path } = start;
  if (main === "") return ["stackelberg"];
  const real = realPath(main);
  const isOurs = (link: string): boolean => real !== undefined && realPath(link) === real;
  // npx and npm scripts put .bin folders on the path, which the user's shell has not.
  const folders = path.split(delimiter).filter((folder) => !/node_modules[\\/]\.bin$/.test(folder));
  if (folders.some((folder) => folder !== "" && isOurs(join(folder, "stackelberg")))) {
    return ["stackelberg"];
  }
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (isOurs(join(folder, "node_modules", ".bin", "stackelberg"))) return ["npx", "stackelberg"];
    if (folder === dirname(folder)) break;
  }
  const script = basename(main) === "stackelberg" ? (real ?? main) : main;
  const options = execArgv.filter((option) => !option.startsWith("--inspect"));
  return ["node", ...options, fileWord(relative(cwd, script))];
}

/** A command of this program, quoted for a POSIX shell. */
export function commandText(words: readonly string[], start?: ProgramStart): string {
  return [...programWords(start), ...words].map(shellQuote).join(" ");
}

/** An option and its value as words; none for undefined. A value with a leading dash needs the `=`. */
export function optionWords(
  option: string,
  value: string | number | readonly string[] | undefined,
): string[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
  const text = Array.isArray(value)
    ? (value as readonly string[]).map((name) => name.replaceAll(",", "\\,")).join(",")
    : String(value);
  return text.startsWith("-") ? [`${option}=${text}`] : [option, text];
}

/** A file or folder as a word that is not taken for an option. */
export function fileWord(path: string): string {
  return path.startsWith("-") ? `.${sep}${path}` : path;
}

/** The commands within a help text or a sentence as they are typed here: after a backtick, or indented as examples are. */
export function asTyped(text: string, start?: ProgramStart): string {
  const program = commandText([], start);
  return text.replace(
    /(^ {2}|`)stackelberg (?=(?:tune|predict|clean|fewshot|rules|doctor|<command>)\b|<)/gm,
    (_, before: string) => `${before}${program} `,
  );
}

/** One word of a shell command, in single quotes when it needs any. */
export function shellQuote(word: string): string {
  // zsh expands a leading =.
  if (/^[A-Za-z0-9_\-+:,./@%][A-Za-z0-9_\-+=:,./@%]*$/.test(word)) return word;
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  if (!/\p{Cc}/u.test(word)) return quote(word);
  // A line break would break the printed line.
  const octal = (character: string): string =>
    `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  const format = word
    .replaceAll("\\", "\\\\")
    .replaceAll("%", "%%")
    .replace(/\p{Cc}/gu, octal);
  return `"$(printf ${quote(format)})"`;
}

/** `name-again`, or with a number behind it: a folder for the output that is not there yet. */
export function freshFolder(folder: string, suffix: string): string {
  const name = `${folder}-${suffix}`;
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}

function thisStart(): ProgramStart {
  const { argv, execArgv, env } = process;
  return { main: argv[1] ?? "", execArgv, cwd: process.cwd(), path: env["PATH"] ?? "" };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
