/** All sizes of all series, interleaved, each in processes of its own; and the powers by which they grow. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Series } from "./series.ts";

/** What one process measured. */
export interface Point {
  /** Processor time of an evaluation, the median of some. */
  readonly ms: number;
  /** Processor time of the first evaluation, less that of another one. */
  readonly compileMs: number;
  /** The greatest resident memory of the process. */
  readonly peakBytes: number;
  /** The states that the rule says it keeps. */
  readonly storedBytes: number;
}

/** One size, medians of all rounds; memory is what it takes beyond an empty run. */
export interface Row extends Point {
  readonly size: number;
}

/** Rows of every series by its name, and the memory of a process with next to no work. */
export async function measureAll(
  list: readonly Series[],
  rounds: number,
): Promise<{ rows: ReadonlyMap<string, readonly Row[]>; baseBytes: number }> {
  const work = list.flatMap(({ name, sizes }) => sizes.map((size) => ({ name, size })));
  const found = new Map<string, Point[]>();
  const empty: number[] = [];
  for (let round = 0; round < rounds; round++) {
    empty.push((await runPoint([])).peakBytes);
    for (const { name, size } of work) {
      const key = `${name} ${size}`;
      found.set(key, [...(found.get(key) ?? []), await runPoint([name, String(size)])]);
    }
  }
  const baseBytes = median(empty);
  const rowOf = (name: string, size: number): Row => {
    const points = found.get(`${name} ${size}`)!;
    const middle = (field: keyof Point): number => median(points.map((point) => point[field]));
    return {
      size,
      ms: middle("ms"),
      compileMs: middle("compileMs"),
      peakBytes: middle("peakBytes") - baseBytes,
      storedBytes: middle("storedBytes"),
    };
  };
  const rows = new Map(
    list.map(({ name, sizes }) => [name, sizes.map((size) => rowOf(name, size))]),
  );
  return { rows, baseBytes };
}

/** The power p of a least-squares fit C·sizeᵖ; undefined with fewer than two points. */
export function fittedPower(
  points: readonly { readonly size: number; readonly value: number }[],
): number | undefined {
  if (points.length < 2) return undefined;
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map(({ value }) => Math.log(value));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const above = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return above / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const file = fileURLToPath(new URL("point.ts", import.meta.url));

async function runPoint(args: readonly string[]): Promise<Point> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--import",
    "tsx",
    file,
    ...args,
  ]);
  return JSON.parse(stdout) as Point;
}
