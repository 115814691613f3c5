/** The thread of a job: loads its module, runs it, and passes orders, events and the result on. */
import { parentPort, workerData } from "node:worker_threads";
import { decodeError, encodeError } from "./job-error.ts";
import type { Job, JobAnswer, JobOrder, JobStart } from "./job.ts";

const { module, plan, stop } = workerData as JobStart;
const port = parentPort!;
const answer = (message: JobAnswer): void => port.postMessage(message);

const controller = new AbortController();
const flag = new Int32Array(stop);
// Who asks without a pause in between, so that no message comes in, is answered all the same.
Object.defineProperties(controller.signal, {
  aborted: {
    get(): boolean {
      if (Atomics.load(flag, 0) !== 0) controller.abort();
      return Reflect.get(AbortSignal.prototype, "aborted", controller.signal) as boolean;
    },
  },
  throwIfAborted: {
    value(this: AbortSignal): void {
      if (this.aborted) throw this.reason;
    },
  },
});

const waiting = new Map<number, { resolve(): void; reject(reason: unknown): void }>();
let told = 0;

port.on("message", (order: JobOrder) => {
  if (order.type === "stop") return controller.abort();
  const promise = waiting.get(order.id);
  waiting.delete(order.id);
  if (order.error === undefined) promise?.resolve();
  else promise?.reject(decodeError(order.error));
});

const tell = (event: unknown): Promise<void> => {
  const id = told++;
  const dealt = new Promise<void>((resolve, reject) => waiting.set(id, { resolve, reject }));
  // A job need not wait for every event; those that it waits for reject all the same.
  dealt.catch(() => undefined);
  answer({ type: "event", id, event });
  return dealt;
};

try {
  const { job } = (await import(module)) as { job: Job<unknown, unknown, unknown> };
  answer({ type: "result", result: await job(plan, { signal: controller.signal, tell }) });
} catch (error) {
  answer({ type: "failed", error: encodeError(error) });
}
