// What a person sees while tuning runs: on a terminal one line that is redrawn, elsewhere plain
// lines, one a note and one a method.

import type { TuneEvent } from "../../automl/tabular/types.ts";
import { oneLine } from "../command/errors.ts";
import { formatNumber, formatSeconds } from "../../data/readable-numbers.ts";
import { displayWidth, shorten, wrapWords } from "./text.ts";

/** The part of a stream that progress writes to. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Shows events as they come; `finish` removes the live line so that plain text can follow. */
export interface Progress {
  onEvent(event: TuneEvent): void;
  /** Prints a line of its own above the live line. */
  say(text: string): void;
  finish(): void;
}

/** Shortest time between two redraws of the live line, in milliseconds. */
const redrawMs = 100;

/** Longest note on a terminal, in characters; the report has the whole. */
const noteLimit = 300;

/**
 * Progress for a stream.
 *
 * @param options.live - redraw one line (a terminal); otherwise plain lines without control characters.
 * @param options.now - clock in milliseconds, for the limit of ten redraws a second.
 */
export function createProgress(options: {
  stream: ProgressStream;
  live: boolean;
  now?: () => number;
}): Progress {
  const { stream, live, now = () => performance.now() } = options;
  let drawnAt = -Infinity;
  let shown = false;
  let repeats = 1;

  const clear = (): void => {
    if (shown) stream.write("\r\u001b[2K");
    shown = false;
  };
  const say = (text: string): void => {
    clear();
    const line = oneLine(text);
    const lines = live ? wrapWords(shorten(line, noteLimit), (stream.columns ?? 80) - 1) : [line];
    stream.write(`${lines.join("\n")}\n`);
  };
  const redraw = (parts: readonly string[], force = false): void => {
    if (!live || (!force && now() - drawnAt < redrawMs)) return;
    drawnAt = now();
    // One cell is left free: a full line makes some terminals wrap.
    stream.write(`\r\u001b[2K${fitParts(parts, (stream.columns ?? 80) - 1)}`);
    shown = true;
  };

  return {
    say,
    finish: clear,
    onEvent(event) {
      switch (event.type) {
        case "split":
          repeats = event.repeats;
          redraw([`split ${event.repeat + 1}/${repeats}`, event.baselines.join(", then ")], true);
          return;
        case "step":
          redraw(stepParts(event, repeats));
          return;
        case "method":
          if (!live) say(methodLine(event, repeats));
          return;
        case "note":
          say(event.text);
          return;
      }
    },
  };
}

/** The pieces of the live line, most important first. */
export function stepParts(event: TuneEvent & { type: "step" }, repeats: number): string[] {
  const parts = [
    `split ${event.repeat + 1}/${repeats}`,
    `step ${event.step}/${event.steps}`,
    `outer ${formatNumber(event.outerObjective)}`,
    `inner ${formatNumber(event.innerObjective)}`,
  ];
  if (Number.isFinite(event.remainingSeconds)) {
    parts.splice(2, 0, `${remaining(event.remainingSeconds)} left`);
  }
  parts.push(`gradient ${formatNumber(event.gradientNorm, 3)}`);
  return parts;
}

/** Whole seconds: an estimate has no decimals. */
function remaining(seconds: number): string {
  return seconds < 59 ? `${Math.ceil(Math.max(0, seconds))} s` : formatSeconds(seconds);
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

function methodLine(event: TuneEvent & { type: "method" }, repeats: number): string {
  const losses = `validation loss ${formatNumber(event.validationLoss)}, test loss ${formatNumber(event.testLoss)}`;
  return `split ${event.repeat + 1}/${repeats}: ${event.title}: ${losses}, ${formatSeconds(event.seconds)}`;
}
