// What may be given anew to a run that goes on: everything else was settled when it began, and would change its result.

import { UsageError } from "./errors.ts";
import { optionName } from "./option-name.ts";

/** For each command with `--resume`, the options that go with it. */
const resumable = {
  tune: ["budget", "threads", "json", "quiet"],
  "fewshot train": ["steps", "budget", "threads", "maxUnpacked", "quiet"],
} as const;

/**
 * @param flags - as typed, `resume` among them.
 * @throws UsageError naming the first option that does not go with `--resume`.
 */
export function checkResuming(command: keyof typeof resumable, flags: object): void {
  const names: readonly string[] = resumable[command];
  const clash = Object.entries(flags).find(
    ([name, value]) => name !== "resume" && value !== undefined && !names.includes(name),
  );
  if (clash === undefined) return;
  const options = names.map(optionName);
  throw new UsageError(
    `${optionName(clash[0])} cannot be combined with --resume, which goes on with the options of the interrupted run; only ${options.slice(0, -1).join(", ")} and ${options.at(-1)!} may be given anew`,
  );
}
