/** What every long run shares: a thread of its own, events and their log, a folder, the environment. */
export { describeEnvironment, type Environment, packageVersion, versionOf } from "./environment.ts";
export { eventLogName } from "./event-log.ts";
export { decodeError, type EncodedError, encodeError } from "./job-error.ts";
export { endJobs, type Job, runJob } from "./job.ts";
export type { Metrics, RunHappening } from "./run-event.ts";
export { checkOutputFolder } from "./run-folder/output-folder.ts";
export type { RunFolderCode } from "./run-folder/run-folder-error.ts";
export { createRunFolder, type RunFolder } from "./run-folder/run-folder.ts";
export {
  checkSettings,
  readSettings,
  type RunSettings,
  settingsName,
} from "./run-folder/settings-file.ts";
