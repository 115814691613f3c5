/**
 * Our hypergradients beside PyTorch's, case by case, interleaved: `npm run bench`. Prints the table of
 * docs/results/performance.md; without a Python that has torch, our side alone. Idle machine, please.
 *
 *     npm run bench -- [--json] [--threads 1,2] [--cases rhg-small,mlp] [--rounds 5]
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { type Case, drawInputs } from "./performance/case.ts";
import { cases } from "./performance/cases.ts";
import { median } from "./scale/measure.ts";
import { hasTorch, python, type Side, startOurs, startPeer } from "./performance/side.ts";

/** One case on some threads; times are medians of all rounds. */
interface Row {
  readonly case: string;
  readonly threads: number;
  readonly ours_ms: number;
  readonly peer_ms: number | null;
  readonly ratio: number | null;
  readonly floor: number;
  /** Our first evaluation, which traces and compiles, less an ordinary one. */
  readonly compile_ms: number;
  readonly ours_peak_bytes: number;
  readonly peer_peak_bytes: number | null;
  /** Relative distance of the two hypergradients. */
  readonly disagreement: number | null;
  readonly runs: number;
}

/** A round is so many seconds of each side, or one evaluation. */
const roundSeconds = 0.5;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    threads: { type: "string", default: "1,2" },
    cases: { type: "string", default: cases.map(({ name }) => name).join(",") },
    rounds: { type: "string", default: "7" },
  },
});
const rounds = Number(values.rounds);
const chosen = values.cases.split(",").map((name) => {
  const found = cases.find((one) => one.name === name);
  if (found) return found;
  const known = cases.map((one) => one.name).join(", ");
  process.stderr.write(`bench: there is no case "${name}"; there are ${known}.\n`);
  process.exit(2);
});
const withPeer = hasTorch();
if (!withPeer) {
  process.stderr.write(`bench: ${python} has no torch, so our side runs alone.\n`);
}

const machine = `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`;
const rows: Row[] = [];
let versions: Record<string, string> = {};
if (!values.json) say(heading());
for (const one of chosen) {
  for (const threads of values.threads.split(",").map(Number)) {
    const row = await measure(one, threads);
    rows.push(row);
    if (!values.json) say(line(row));
  }
}
if (values.json) {
  say(
    JSON.stringify(
      rows.map((row) => ({ ...row, machine, versions })),
      undefined,
      2,
    ),
  );
} else {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  say(`\n${machine}; ${list.join(", ")}.`);
}

async function measure(one: Case, threads: number): Promise<Row> {
  const inputs = drawInputs(one, one.full);
  const steps = one.full["steps"];
  const ours = startOurs(threads);
  const peer = withPeer ? startPeer(threads) : undefined;
  try {
    const opened = await ours.open(one.name, inputs, steps);
    await peer?.open(one.name, inputs, steps);
    const disagreement = peer ? distance(await ours.gradient(), await peer.gradient()) : null;
    const chunks = [await chunkOf(ours), peer ? await chunkOf(peer) : 0] as const;
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      times[0].push(...(await ours.time(chunks[0])));
      if (peer) times[1].push(...(await peer.time(chunks[1])));
    }
    versions = { ...(await ours.versions()), ...(await peer?.versions()) };
    const oursMs = median(times[0]);
    const peerMs = peer ? median(times[1]) : null;
    return {
      case: one.name,
      threads,
      ours_ms: oursMs,
      peer_ms: peerMs,
      ratio: peerMs === null ? null : peerMs / oursMs,
      floor: one.floor,
      compile_ms: opened - oursMs,
      ours_peak_bytes: await ours.peakBytes(),
      peer_peak_bytes: peer ? await peer.peakBytes() : null,
      disagreement,
      runs: times[0].length,
    };
  } finally {
    ours.stop();
    peer?.stop();
  }
}

/** Evaluations that fill a round, after some to warm up. */
async function chunkOf(side: Side): Promise<number> {
  const [first] = await side.time(1);
  const warm = Math.ceil(Math.min(20, 200 / first!));
  const ms = median(await side.time(Math.max(2, warm)));
  return Math.max(1, Math.min(100, Math.round((1000 * roundSeconds) / ms)));
}

function distance(actual: number[][], wanted: number[][]): number {
  const [a, b] = [actual.flat(), wanted.flat()];
  const norm = (values: number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  return norm(b.map((value, i) => value - a[i]!)) / norm(b);
}

function heading(): string {
  const columns = [
    "case",
    "threads",
    "ours, ms",
    "PyTorch, ms",
    "ratio",
    "floor",
    "to compile, ms",
    "our peak, MB",
    "its peak, MB",
    "disagreement",
  ];
  const rule = columns.map((_, i) => (i === 0 ? "---" : "---:"));
  return `| ${columns.join(" | ")} |\n| ${rule.join(" | ")} |`;
}

function line(row: Row): string {
  const optional = (value: number | null, text: (value: number) => string): string =>
    value === null ? "–" : text(value);
  const ms = (value: number): string => value.toPrecision(3);
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const cells = [
    row.case,
    row.threads,
    ms(row.ours_ms),
    optional(row.peer_ms, ms),
    optional(row.ratio, (ratio) => ratio.toFixed(2)),
    row.floor,
    row.compile_ms.toFixed(0),
    megabytes(row.ours_peak_bytes),
    optional(row.peer_peak_bytes, megabytes),
    optional(row.disagreement, (error) => error.toExponential(0)),
  ];
  return `| ${cells.join(" | ")} |`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
