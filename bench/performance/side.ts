/** One side of the benchmark: a process that is asked for cases over its standard input and output, one JSON line each. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { Inputs } from "./case.ts";

export interface Side {
  /** The versions of what does the work. */
  versions(): Promise<Record<string, string>>;
  /** Reads the case's inputs and evaluates it once; milliseconds. */
  open(name: string, inputs: Inputs, steps: number | undefined): Promise<number>;
  /** Milliseconds of some evaluations of the open case. */
  time(runs: number): Promise<number[]>;
  /** The hypergradient's leaves of the open case, flat. */
  gradient(): Promise<number[][]>;
  /** The greatest resident memory of the process so far, in bytes. */
  peakBytes(): Promise<number>;
  stop(): void;
}

/** Python with PyTorch: STACKELBERG_PYTHON, or Debian's. */
export const python: string = process.env["STACKELBERG_PYTHON"] ?? "/usr/bin/python3";

export function hasTorch(): boolean {
  return spawnSync(python, ["-c", "import torch"]).status === 0;
}

/** PyTorch's side, bench/peers/serve.py. */
export function startPeer(threads: number): Side {
  return start(python, ["-B", file("../peers/serve.py"), String(threads)]);
}

/** Our side, serve.ts. */
export function startOurs(threads: number): Side {
  return start(process.execPath, ["--import", "tsx", file("serve.ts"), String(threads)]);
}

function start(command: string, args: readonly string[]): Side {
  const folder = mkdtempSync(join(tmpdir(), "stackelberg-bench-"));
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines: AsyncIterator<string, undefined> = createInterface({
    input: child.stdout,
  })[Symbol.asyncIterator]();
  const ask = async <T>(request: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await lines.next();
    if (line.done) {
      throw new Error(`bench: ${command} ended at ${JSON.stringify(request)}; see above why.`);
    }
    return JSON.parse(line.value) as T;
  };
  return {
    versions: () => ask({ do: "versions" }),
    open: async (name, inputs, steps) => {
      writeInputs(folder, inputs);
      return (await ask<{ ms: number }>({ do: "open", case: name, inputs: folder, steps })).ms;
    },
    time: async (runs) => (await ask<{ ms: number[] }>({ do: "time", runs })).ms,
    gradient: async () => (await ask<{ gradient: number[][] }>({ do: "gradient" })).gradient,
    peakBytes: async () => (await ask<{ bytes: number }>({ do: "peak" })).bytes,
    stop: () => {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

function file(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** One little-endian file an array, listed in inputs.json. */
function writeInputs(folder: string, inputs: Inputs): void {
  const list = Object.entries(inputs).map(([name, { shape, dtype, data }]) => {
    writeFileSync(join(folder, `${name}.bin`), data);
    return { name, shape, dtype };
  });
  writeFileSync(join(folder, "inputs.json"), JSON.stringify(list));
}
