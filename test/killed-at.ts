/**
 * A process that is killed at a chosen file operation, played inside the test's own process: from that operation on, no
 * change to a file is made and no promise comes back, so that no code that would tidy up runs either.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import { promises as fs } from "node:fs";
import { join } from "node:path";

type Operation = (...values: never[]) => Promise<unknown>;
const changing = ["copyFile", "link", "mkdir", "open", "rename", "rm", "rmdir", "unlink"] as const;

/** How a play ended: by itself after so many operations, or killed. */
export type Ending = { readonly killed: boolean; readonly operations: number };

/** A process in play: what it does goes on under its store, also where nobody waits for it. */
interface Process {
  readonly at: number;
  readonly half: boolean;
  operations: number;
  /** Operations that have begun and not ended. */
  pending: number;
  dead: boolean;
  die(): void;
}

const processes = new AsyncLocalStorage<Process>();
const never = (): Promise<never> => new Promise<never>(() => undefined);

const table = fs as unknown as Record<string, Operation>;
for (const name of changing) {
  const original = table[name]!;
  table[name] = async (...values: never[]) => {
    const process = processes.getStore();
    if (process === undefined) return original(...values);
    const number = process.operations++;
    if (process.dead || number > process.at) return never();
    if (number === process.at) {
      process.dead = true;
      if (process.half) await halfDone(name, original, values);
      if (process.pending === 0) process.die();
      return never();
    }
    process.pending++;
    try {
      return await original(...values);
    } finally {
      process.pending--;
      if (process.dead && process.pending === 0) process.die();
    }
  };
}
syncBuiltinESMExports();

/**
 * Runs `act`, killing it at operation number `at`, counted from 0. Operations that had begun by then come to their end first.
 *
 * @param half - whether that operation is half done: half a file is written, a part of a folder removed.
 */
export async function killedAt(
  at: number,
  half: boolean,
  act: () => Promise<unknown>,
): Promise<Ending> {
  let die!: () => void;
  const death = new Promise<"killed">((resolve) => (die = () => resolve("killed")));
  const process: Process = { at, half, operations: 0, pending: 0, dead: false, die };
  const ending = await Promise.race([processes.run(process, act), death]);
  return { killed: ending === "killed", operations: process.operations };
}

async function halfDone(name: string, original: Operation, values: unknown[]): Promise<void> {
  const [path] = values as [string];
  if (name === "open" && values[1] === "w") await fs.writeFile(path, "ha");
  if (name !== "rm") return;
  const inside = await fs.readdir(path).catch(() => []);
  if (inside.length > 0) await original(join(path, inside[0]!) as never);
}
