// What a person sees while a long command runs: on a terminal one line that is redrawn, elsewhere plain lines only.

import { oneLine } from "../command/errors.ts";
import { displayWidth, shorten, wrapWords } from "./text.ts";

/** The part of a stream that a line is written to. */
export interface LineStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** A line that is redrawn, with plain lines above it. */
export interface LiveLine {
  /** Whether somebody looks on, so that drawing shows something. */
  readonly live: boolean;
  /** Shows these pieces, as many as fit, the most important first; nothing where nobody looks on. */
  draw(parts: readonly string[], force?: boolean): void;
  /** Prints a line of its own. */
  say(text: string): void;
  /** Removes the live line. */
  clear(): void;
}

/** Shortest time between two redraws, in milliseconds. */
const redrawMs = 100;

/** Longest line of its own on a terminal, in characters; reports have the whole. */
const sayLimit = 300;

/**
 * @param options.live - whether the stream is a terminal that a line can be redrawn on.
 * @param options.quiet - print nothing at all.
 * @param options.now - the clock in milliseconds.
 */
export function createLiveLine(options: {
  stream: LineStream;
  live: boolean;
  quiet?: boolean;
  now?: () => number;
}): LiveLine {
  const { stream, quiet = false, now = () => performance.now() } = options;
  const live = options.live && !quiet;
  // One cell is left free: a full line makes some terminals wrap.
  const width = (): number => (stream.columns ?? 80) - 1;
  let drawnAt = -Infinity;
  let shown = false;
  const clear = (): void => {
    if (shown) stream.write("\r\u001b[2K");
    shown = false;
  };
  return {
    live,
    clear,
    say(text) {
      if (quiet) return;
      clear();
      const line = oneLine(text);
      const lines = live ? wrapWords(shorten(line, sayLimit), width()) : [line];
      stream.write(`${lines.join("\n")}\n`);
    },
    draw(parts, force = false) {
      if (!live || (!force && now() - drawnAt < redrawMs)) return;
      drawnAt = now();
      stream.write(`\r\u001b[2K${fitParts(parts, width())}`);
      shown = true;
    },
  };
}

/** The line for this process's standard error. */
export function stderrLine(flags: { quiet?: boolean; json?: boolean }): LiveLine {
  const { stderr } = process;
  const live = stderr.isTTY && flags.json !== true && process.env["TERM"] !== "dumb";
  return createLiveLine({ stream: stderr, live, quiet: flags.quiet === true });
}

/** Joins as many whole pieces as fit in `width` cells; a first piece that is too long is cut. */
export function fitParts(parts: readonly string[], width: number): string {
  const separator = " · ";
  let line = "";
  for (const part of parts) {
    const next = line === "" ? part : line + separator + part;
    if (displayWidth(next) > width) break;
    line = next;
  }
  if (line === "" && parts.length > 0) return [...parts[0]!].slice(0, Math.max(0, width)).join("");
  return line;
}
