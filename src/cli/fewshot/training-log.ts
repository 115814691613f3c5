// log.jsonl: one line for each validation of a training, from which its best model and its end follow. A resumed run
// drops the lines after its checkpoint and writes them again.

import { readFile } from "node:fs/promises";
import { UsageError } from "../errors.ts";

/** One validation. */
export interface LogLine {
  /** Outer updates made. */
  step: number;
  /** Episodes seen in training. */
  episodes: number;
  /** Mean training loss since the last line. */
  loss: number;
  /** Mean accuracy over the validation episodes, the half width of its 95 % interval. */
  accuracy: number;
  halfWidth: number;
  /** Of the training steps since the last line, without the validation. */
  episodesPerSecond: number;
  /** Wall-clock seconds since the run's beginning, validations included, earlier parts of a resumed run too. */
  seconds: number;
}

/**
 * The lines of a file, none when there is no file.
 *
 * @throws UsageError when it is damaged.
 */
export async function readLog(path: string): Promise<LogLine[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  return lines.map((line, i) => {
    const found = parse(line);
    const numbers = [found?.step, found?.accuracy, found?.seconds];
    if (numbers.every(Number.isFinite)) return found as LogLine;
    throw new UsageError(
      `${path} is damaged at line ${i + 1}: put a copy of it back, or start a new run`,
    );
  });
}

/** The file's text. */
export function formatLog(lines: readonly LogLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** The line with the highest accuracy, the earliest of equals. */
export function bestLine(lines: readonly LogLine[]): LogLine | undefined {
  return lines.reduce<LogLine | undefined>(
    (best, line) => (best === undefined || line.accuracy > best.accuracy ? line : best),
    undefined,
  );
}

/** Validations since the best one. */
export function withoutImprovement(lines: readonly LogLine[]): number {
  const best = bestLine(lines);
  return best === undefined ? 0 : lines.length - 1 - lines.indexOf(best);
}

function parse(line: string): Partial<LogLine> | null {
  try {
    return JSON.parse(line) as Partial<LogLine> | null;
  } catch {
    return null;
  }
}
