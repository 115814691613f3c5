/** Runs a job that computes for long, and listens for signals as the commands do. Arguments: what the job does, a folder. */
import { listenForInterrupts, waitingSentence } from "../../src/cli/terminal/interrupt.ts";
import { createRunFolder } from "../../src/study/run-folder/run-folder.ts";
import { runJob } from "../../src/study/job.ts";
import type { SamplePlan } from "./sample-job.ts";

const [then, folder] = process.argv.slice(2) as [SamplePlan["then"], string];
const run = createRunFolder("test", console.log);
await run.begin(folder, { force: false });
const interrupts = listenForInterrupts({
  onFirst: () => console.log("stopping"),
  onWaiting: (seconds) => console.log(waitingSentence(seconds)),
});
const plan: SamplePlan = { tell: [1], then };
await runJob("./sample-job", import.meta.url, plan, {
  signal: interrupts.signal,
  onEvent: () => console.log("computing"),
});
interrupts.stop();
await run.release();
console.log("ended");
process.exitCode = interrupts.exitCode;
