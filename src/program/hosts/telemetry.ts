/**
 * Keeps ONNX Runtime from sending usage data. Its Node package reads the machine's id, writes a device id and a queue below
 * the user's cache folder and looks up a collector's host, unless the environment says otherwise before it is loaded.
 */
import { isMainThread } from "node:worker_threads";

/** The variable that ONNX Runtime reads when it starts. */
const variable = "ORT_DISABLE_TELEMETRY";

/** The main thread answers within milliseconds, unless it computes natively. */
const patienceMs = 60_000;

/**
 * Sets ORT_DISABLE_TELEMETRY to 1 for the process. What the user has set, 0 too, stays; an empty value counts as unset.
 *
 * @throws Error in a worker thread whose main thread cannot be told.
 */
export async function disableTelemetry(): Promise<void> {
  const value = (process.env[variable] ||= "1");
  // A worker has a copy of the environment that native code does not see.
  if (!isMainThread) await setInMainThread(value);
}

/** Sets the variable where the process has it, by the debugger's door from a worker to its main thread. */
async function setInMainThread(value: string): Promise<void> {
  try {
    const { Session } = await import("node:inspector/promises");
    const session = new Session();
    session.connectToMainThread();
    const expression = `process.env.${variable} ||= ${JSON.stringify(value)}`;
    try {
      await inTime(session.post("Runtime.evaluate", { expression }));
    } finally {
      session.disconnect();
    }
  } catch (cause) {
    throw new Error(
      `it sends usage data unless the process's ${variable} is set, which cannot be done from this worker thread (${(cause as Error).message}); set it to 1 before the process starts`,
      { cause },
    );
  }
}

/** Waits for the answer, which by itself would not keep the thread alive. */
async function inTime(answer: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the main thread does not answer")), patienceMs);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
