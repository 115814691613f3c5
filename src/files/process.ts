/**
 * Who a process is, so that another one can tell later whether it still runs. A number alone is not enough: after a
 * restart of the machine, or of many processes, another process has it.
 */
import { readFile } from "node:fs/promises";
import { hostname, uptime } from "node:os";

/** A process at the time of asking. Plain data, for a file. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Which start of the machine it belongs to, and when after that it began; null where the system does not tell. */
  readonly boot: string | null;
  readonly begun: string | null;
  /** When this was written, in milliseconds since 1970. */
  readonly at: number;
}

/** This process. */
export async function thisProcess(): Promise<ProcessIdentity> {
  const { pid } = process;
  const [boot, stat] = await Promise.all([bootId(), statOf(pid)]);
  return { host: hostname(), pid, boot, begun: stat?.begun ?? null, at: Date.now() };
}

/** `unknown` for one on another machine. */
export async function stateOf(owner: ProcessIdentity): Promise<"runs" | "ended" | "unknown"> {
  if (owner.host !== hostname()) return "unknown";
  const boot = await bootId();
  if (boot !== null && owner.boot !== null && boot !== owner.boot) return "ended";
  // Where there is no such name: a minute for clocks that were set since.
  if (boot === null && owner.at < Date.now() - uptime() * 1000 - 60_000) return "ended";
  if (!hasNumber(owner.pid)) return "ended";
  const stat = await statOf(owner.pid);
  if (stat === undefined) return "runs";
  const isAnother = owner.begun !== null && stat.begun !== owner.begun;
  return stat.isZombie || isAnother ? "ended" : "runs";
}

/** Whether some process has this number. */
export function hasNumber(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function bootId(): Promise<string | null> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => null);
  return text === null ? null : text.trim();
}

/** What Linux says of a process; its name, in parentheses, may hold anything. */
async function statOf(pid: number): Promise<{ isZombie: boolean; begun: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { isZombie: fields[0] === "Z" || fields[0] === "X", begun: fields[19]! };
}
