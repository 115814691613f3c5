/** A job for tests: does what its plan says. */
import { execFileSync } from "node:child_process";
import type { Job } from "../../src/study/job.ts";

/** What to do: tell numbers, wait for each or not, then end in one of several ways. */
export interface SamplePlan {
  readonly tell: readonly number[];
  readonly then: "return" | "throw" | "exit" | "until stopped" | "sleep" | "wait";
  readonly bytes?: Uint8Array;
}

export const job: Job<SamplePlan, number, { heard: string[]; bytes?: Uint8Array }> = async (
  plan,
  { signal, tell },
) => {
  const heard: string[] = [];
  for (const number of plan.tell) {
    await tell(number).then(
      () => heard.push(`${number} dealt`),
      (error: Error & { code?: string; path?: string }) =>
        heard.push(`${number}: ${error.name} ${error.code} ${error.path} ${error.message}`),
    );
  }
  switch (plan.then) {
    case "throw":
      throw Object.assign(new RangeError("too long", { cause: new Error("why") }), {
        code: "DATA",
        path: "a.csv",
      });
    case "exit":
      process.exit(3);
    // eslint-disable-next-line no-fallthrough -- the line above does not return
    case "until stopped":
      // Not once does it pause for messages.
      while (!signal.aborted);
      break;
    case "sleep":
      // As a native computation: nothing ends it.
      execFileSync("sleep", ["600"]);
      break;
    case "wait":
      // As JavaScript that computes: the thread can be ended.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      break;
    case "return":
  }
  return { heard, ...(plan.bytes === undefined ? {} : { bytes: plan.bytes }) };
};
