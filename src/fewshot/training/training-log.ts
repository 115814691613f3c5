// log.jsonl: one line for each validation of a training, from which its best model and its end follow. A resumed run
// drops the lines after its checkpoint and writes them again.

import * as v from "valibot";
import { count, crc32, finite, readRegularFile } from "../../files/index.ts";
import { FewshotError } from "../fewshot-error.ts";

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
 * @throws FewshotError when it is damaged.
 */
export async function readLog(path: string): Promise<LogLine[]> {
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  const text = bytes.toString("utf8");
  let before = "";
  return (text === "" ? [] : text.split(/(?<=\n)/)).map((line, i) => {
    const found = parse(line);
    const sum = /,"checksum":"([0-9a-f]{8})"\}\n$/.exec(line);
    const isWhole = sum !== null && crc32(encoder.encode(before + line.slice(0, -11))) === sum[1];
    // An older version wrote no checksums; its lines end with a number.
    const isOld = /"seconds":[\d.e+-]+\}\n$/.test(line);
    before += line;
    if (found !== undefined && (isWhole || isOld)) return found;
    throw new FewshotError(
      `${path} is damaged at line ${i + 1}: put a copy of it back, or start a new run`,
    );
  });
}

/** The file's text: each line with the checksum of everything before it. */
export function formatLog(lines: readonly LogLine[]): string {
  return lines.reduce((text, line) => {
    const open = `${text}${JSON.stringify(line).slice(0, -1)},"checksum":"`;
    return `${open}${crc32(encoder.encode(open))}"}\n`;
  }, "");
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

const encoder = new TextEncoder();

/** JSON has null for what is no number. */
const perhaps: v.GenericSchema<unknown, number> = v.pipe(
  v.nullable(finite),
  v.transform((value) => value ?? Number.NaN),
);

const logLine: v.GenericSchema<unknown, LogLine> = v.object({
  step: count,
  episodes: finite,
  loss: perhaps,
  accuracy: finite,
  halfWidth: finite,
  episodesPerSecond: perhaps,
  seconds: finite,
});

function parse(line: string): LogLine | undefined {
  try {
    const found = v.safeParse(logLine, JSON.parse(line));
    return found.success ? found.output : undefined;
  } catch {
    return undefined;
  }
}
