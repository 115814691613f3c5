/**
 * A process that is killed at a chosen file operation, played inside the test's own process: from that operation on, no
 * change to a file is made and no promise comes back, so that no code that would tidy up runs either.
 */
import { syncBuiltinESMExports } from "node:module";
import { promises as fs } from "node:fs";
import { join } from "node:path";

type Operation = (...values: never[]) => Promise<unknown>;
const changing = ["copyFile", "link", "mkdir", "open", "rename", "rm", "rmdir", "unlink"] as const;

/** How a play ended: by itself after so many operations, or killed. */
export type Ending = { readonly killed: boolean; readonly operations: number };

/**
 * Runs `act`, killing it at operation number `at`, counted from 0.
 *
 * @param half - whether that operation is half done: half a file is written, a part of a folder removed.
 */
export async function killedAt(
  at: number,
  half: boolean,
  act: () => Promise<unknown>,
): Promise<Ending> {
  let operations = 0;
  let die!: () => void;
  const death = new Promise<"killed">((resolve) => (die = () => resolve("killed")));
  const never = (): Promise<never> => {
    die();
    return new Promise<never>(() => undefined);
  };
  const table = fs as unknown as Record<string, Operation>;
  const originals = changing.map((name) => [name, table[name]!] as const);
  for (const [name, original] of originals) {
    table[name] = async (...values: never[]) => {
      const number = operations++;
      if (number > at) return never();
      if (number === at) {
        if (half) await halfDone(name, original, values);
        return never();
      }
      return original(...values);
    };
  }
  syncBuiltinESMExports();
  try {
    const ending = await Promise.race([act(), death]);
    return { killed: ending === "killed", operations };
  } finally {
    for (const [name, original] of originals) table[name] = original;
    syncBuiltinESMExports();
  }
}

async function halfDone(name: string, original: Operation, values: unknown[]): Promise<void> {
  const [path] = values as [string];
  if (name === "open" && values[1] === "w") await fs.writeFile(path, "ha");
  if (name !== "rm") return;
  const inside = await fs.readdir(path).catch(() => []);
  if (inside.length > 0) await original(join(path, inside[0]!) as never);
}
