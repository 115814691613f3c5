// What a person sees while a long command runs: on a terminal one line that is redrawn, elsewhere plain lines only.

import type { ImageOptions } from "../../data/index.ts";
import { oneLine } from "../command/errors.ts";
import { fitParts, type ProgressStream } from "../terminal/progress.ts";
import { wrapWords } from "../terminal/text.ts";

/** A line that is redrawn, with plain lines above it. */
export interface LiveLine {
  /** Shows these pieces, as many as fit, the most important first; nothing where nobody looks on. */
  draw(parts: readonly string[], force?: boolean): void;
  /** Prints a line of its own. */
  say(text: string): void;
  /** Removes the live line. */
  clear(): void;
}

/** Shortest time between two redraws, in milliseconds. */
const redrawMs = 200;

/**
 * @param options.live - whether the stream is a terminal that a line can be redrawn on.
 * @param options.quiet - print nothing at all.
 */
export function createLiveLine(options: {
  stream: ProgressStream;
  live: boolean;
  quiet?: boolean;
  now?: () => number;
}): LiveLine {
  const { stream, quiet = false, now = () => performance.now() } = options;
  const live = options.live && !quiet;
  const width = (): number => (stream.columns ?? 80) - 1;
  let drawnAt = -Infinity;
  let shown = false;
  const clear = (): void => {
    if (shown) stream.write("\r\u001b[2K");
    shown = false;
  };
  return {
    clear,
    say(text) {
      if (quiet) return;
      clear();
      const line = oneLine(text);
      stream.write(`${(live ? wrapWords(line, width()) : [line]).join("\n")}\n`);
    },
    draw(parts, force = false) {
      if (!live || (!force && now() - drawnAt < redrawMs)) return;
      drawnAt = now();
      stream.write(`\r\u001b[2K${fitParts(parts, width())}`);
      shown = true;
    },
  };
}

/** Shows on a line how far images have been read, and above it what was left out. */
export function showLoading(line: LiveLine): Required<Pick<ImageOptions, "onNote" | "onProgress">> {
  return {
    onProgress({ stage, done, total }) {
      const doing = stage === "download" ? "downloading" : "reading images";
      line.draw([doing, `${done}/${total ?? "?"}`]);
    },
    onNote: line.say,
  };
}

/** The line for this process's standard error. */
export function stderrLine(flags: { quiet?: boolean; json?: boolean }): LiveLine {
  const { stderr } = process;
  const live = stderr.isTTY && flags.json !== true && process.env["TERM"] !== "dumb";
  return createLiveLine({ stream: stderr, live, quiet: flags.quiet === true });
}

/** What a line in another thread is to do. */
export type LineEvent =
  | { readonly type: "draw"; readonly parts: readonly string[]; readonly force: boolean }
  | { readonly type: "say"; readonly text: string }
  | { readonly type: "clear" };

/** A line whose calls become events. */
export function lineInJob(tell: (event: LineEvent) => unknown): LiveLine {
  return {
    draw: (parts, force = false) => void tell({ type: "draw", parts: [...parts], force }),
    say: (text) => void tell({ type: "say", text }),
    clear: () => void tell({ type: "clear" }),
  };
}

/** Does on a line what an event says. */
export function showOnLine(line: LiveLine, event: LineEvent): void {
  if (event.type === "draw") line.draw(event.parts, event.force);
  else if (event.type === "say") line.say(event.text);
  else line.clear();
}
