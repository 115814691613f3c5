/**
 * Long computations in a thread of their own. ONNX Runtime computes on the thread that calls it, so that a program that
 * computes in the main thread hears no signal and draws no line until a step ends. A job is a function from a plan to a
 * result that tells events on its way; plan, events and result cross the threads as copies of plain data.
 */
import { SHARE_ENV, Worker } from "node:worker_threads";
import { decodeError, encodeError, type EncodedError } from "./job-error.ts";

/** What a job is given besides its plan. */
export interface JobContext<Event> {
  /** Asks for an end at the next step. */
  readonly signal: AbortSignal;
  /** Tells an event; resolves when it was dealt with, rejects with what was thrown there. */
  tell(event: Event): Promise<void>;
}

/** What a job's module exports under the name `job`. */
export type Job<Plan, Event, Result> = (plan: Plan, context: JobContext<Event>) => Promise<Result>;

/** From a job's thread. */
export type JobAnswer =
  | { readonly type: "event"; readonly id: number; readonly event: unknown }
  | { readonly type: "result"; readonly result: unknown }
  | { readonly type: "failed"; readonly error: EncodedError };

/** To a job's thread. */
export type JobOrder =
  | { readonly type: "stop" }
  | { readonly type: "dealt"; readonly id: number; readonly error?: EncodedError };

/** What a job's thread is started with. */
export interface JobStart {
  /** The modules to load, as URLs. */
  readonly entry: string;
  readonly module: string;
  readonly tsx: string | undefined;
  readonly plan: unknown;
  /** One number, not 0 when the job is to end: read where no message is, between two steps without a pause. */
  readonly stop: SharedArrayBuffer;
}

const running = new Set<Worker>();

/**
 * Runs a job.
 *
 * @param module - a module beside `beside`, without extension, that exports `job`.
 * @param beside - `import.meta.url` of the caller.
 * @param options.onEvent - deals with events, in their order; what it throws reaches the job.
 * @returns the job's result.
 * @throws what the job throws: an Error with the same message, code, path and causes, of no class of its own.
 */
export async function runJob<Plan, Event, Result>(
  module: string,
  beside: string,
  plan: Plan,
  options: {
    readonly signal: AbortSignal;
    readonly onEvent: (event: Event) => void | Promise<void>;
  },
): Promise<Result> {
  const { signal, onEvent } = options;
  // From sources as from what is built of them.
  const extension = /\.[a-z]+$/.exec(new URL(import.meta.url).pathname)![0];
  const stop = new SharedArrayBuffer(4);
  const start: JobStart = {
    entry: new URL(`./job-worker${extension}`, import.meta.url).href,
    module: new URL(`${module}${extension}`, beside).href,
    tsx: extension === ".ts" ? import.meta.resolve("tsx/esm/api") : undefined,
    plan,
    stop,
  };
  const worker = new Worker(bootstrap, { eval: true, env: SHARE_ENV, workerData: start });
  running.add(worker);
  const order = (message: JobOrder): void => worker.postMessage(message);
  const askToStop = (): void => {
    Atomics.store(new Int32Array(stop), 0, 1);
    order({ type: "stop" });
  };
  signal.addEventListener("abort", askToStop);
  if (signal.aborted) askToStop();
  const deal = async ({ id, event }: JobAnswer & { type: "event" }): Promise<void> => {
    try {
      await onEvent(event as Event);
      order({ type: "dealt", id });
    } catch (error) {
      order({ type: "dealt", id, error: encodeError(error) });
    }
  };
  try {
    return await new Promise<Result>((resolve, reject) => {
      let dealt = Promise.resolve();
      worker.on("message", (answer: JobAnswer) => {
        if (answer.type === "event") dealt = dealt.then(() => deal(answer));
        else if (answer.type === "failed") reject(decodeError(answer.error));
        else void dealt.then(() => resolve(answer.result as Result));
      });
      worker.on("error", reject);
      worker.on("messageerror", reject);
      worker.on("exit", (code) => {
        reject(new Error(`the thread of the computation ended by itself, with code ${code}`));
      });
    });
  } finally {
    signal.removeEventListener("abort", askToStop);
    await worker.terminate();
    running.delete(worker);
  }
}

/** Ends the threads of all jobs, as soon as what they compute natively lets them. */
export async function endJobs(): Promise<void> {
  await Promise.all([...running].map((worker) => worker.terminate()));
}

/** In sources, Node 20 needs the loader of TypeScript in each thread. */
const bootstrap = `
  const { entry, tsx } = require("node:worker_threads").workerData;
  (async () => {
    if (tsx !== undefined) (await import(tsx)).register();
    await import(entry);
  })();
`;
