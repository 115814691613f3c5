// Ctrl-C in two steps: the first one asks for a clean stop after the current step, the second one
// ends the process at once.

import { exitCodes } from "./errors.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A shell and npm may both deliver the same Ctrl-C: signals this close together count as one. */
const sameKeyMs = 400;

/** Interrupts of the process while it is being listened to. */
export interface Interrupts {
  readonly signal: AbortSignal;
  /** Gives the signals back to the process's default handling. */
  stop(): void;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP.
 *
 * @param onFirst - called once, at the first signal, to tell the user what happens now.
 */
export function listenForInterrupts(onFirst: () => void): Interrupts {
  const controller = new AbortController();
  let firstAt = 0;
  const handle = (): void => {
    const now = Date.now();
    if (!controller.signal.aborted) {
      firstAt = now;
      controller.abort();
      onFirst();
    } else if (now - firstAt > sameKeyMs) {
      process.exit(exitCodes.interrupted);
    }
  };
  for (const name of signals) process.on(name, handle);
  return {
    signal: controller.signal,
    stop() {
      for (const name of signals) process.off(name, handle);
    },
  };
}
