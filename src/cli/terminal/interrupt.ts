// Ctrl-C in two steps: the first one asks for a clean stop after the current step, the second one ends the process at once.
// Between them the terminal is not silent for longer than a second.

import { constants } from "node:os";
import { endJobs } from "../../study/index.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type SignalName = (typeof signals)[number];

/** A shell and npm may both deliver the same Ctrl-C: signals this close together count as one. */
const sameKeyMs = 400;

/** From the first signal to the first word on a step that goes on, and between two words. */
const firstWordMs = 1000;
const nextWordMs = 10_000;

/** How long threads that compute have to end before the process goes without them. */
const endMs = 300;

/** Interrupts of the process while it is being listened to. */
export interface Interrupts {
  readonly signal: AbortSignal;
  /** Of a process that was interrupted: 128 and the signal's number, 130 for Ctrl-C, 143 for SIGTERM. */
  readonly exitCode: number;
  /** Gives the signals back to the process's default handling. */
  stop(): void;
}

/** What the user is told. */
export interface InterruptSentences {
  /** Once, at the first signal: what happens now. */
  onFirst(): void;
  /** While the step in progress goes on, `seconds` after the signal. */
  onWaiting(seconds: number): void;
}

/** What to say of a step that goes on after the first signal. */
export function waitingSentence(seconds: number): string {
  return `The step in progress goes on, for ${seconds} s now; Ctrl-C again stops at once, and what was saved stays.`;
}

/** Listens for SIGINT, SIGTERM and SIGHUP. */
export function listenForInterrupts({ onFirst, onWaiting }: InterruptSentences): Interrupts {
  const controller = new AbortController();
  let first: SignalName = "SIGINT";
  let firstAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const wait = (ms: number): void => {
    timer = setTimeout(() => {
      onWaiting(Math.round((Date.now() - firstAt) / 1000));
      wait(nextWordMs);
    }, ms).unref();
  };
  const handle = (name: SignalName): void => {
    const now = Date.now();
    if (!controller.signal.aborted) {
      firstAt = now;
      first = name;
      controller.abort();
      onFirst();
      wait(firstWordMs);
    } else if (now - firstAt > sameKeyMs) {
      stop();
      void leave(name);
    }
  };
  const stop = (): void => {
    clearTimeout(timer);
    for (const name of signals) process.off(name, handle);
  };
  for (const name of signals) process.on(name, handle);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCodeOf(first);
    },
    stop,
  };
}

/**
 * Ends the process. `process.exit` waits for threads, and a thread that computes natively cannot be ended; where one does,
 * the signal itself, no longer listened to, ends all of them.
 */
async function leave(name: SignalName): Promise<void> {
  const code = exitCodeOf(name);
  const hasEnded = await Promise.race([
    endJobs().then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), endMs)),
  ]);
  if (hasEnded) return process.exit(code);
  // What is to be done at the end, such as giving a lock back, is done all the same.
  process.emit("exit", code);
  process.kill(process.pid, name);
}

function exitCodeOf(name: SignalName): number {
  return 128 + constants.signals[name];
}
