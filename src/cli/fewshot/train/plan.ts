// What `fewshot train` is going to do, worked out from its options: a new run, or the rest of an interrupted one.

import type { OmniglotSplit } from "../../../data/index.ts";
import { UsageError } from "../../command/errors.ts";
import { optionName } from "../../command/option-name.ts";
import { checkResuming } from "../../command/resuming.ts";
import { commandText, freshFolder, optionWords } from "../../command/command-text.ts";
import { checkOutputFolder, type RunFolder } from "../../../study/index.ts";
import {
  type BatchNorm,
  checkLearnerOptions,
  defaultsOf,
  type LearnerName,
  readModel,
  readResumePoint,
  type ResumePoint,
  type RuleName,
  type TrainSettings,
  type YesOrNo,
} from "../../../fewshot/internal.ts";
import { readTraining } from "./settings-file.ts";
import { sayAside } from "../../terminal/say-aside.ts";

/** The options of `fewshot train` as typed. */
export interface TrainFlags {
  data?: string;
  split?: OmniglotSplit;
  size?: number;
  maxUnpacked?: number;
  color?: boolean;
  invert?: boolean;
  learner?: LearnerName;
  ways?: number;
  shots?: number;
  queries?: number;
  trainWays?: number;
  trainShots?: number;
  trainQueries?: number;
  tasks?: number;
  steps?: number;
  budget?: number;
  innerSteps?: number;
  innerRate?: number;
  learnInnerRate?: YesOrNo;
  stepShots?: number;
  rule?: RuleName;
  rate?: number;
  from?: string;
  filters?: number;
  variant?: "strided" | "pooled";
  batchNorm?: BatchNorm;
  every?: number;
  validationEpisodes?: number;
  patience?: number;
  seed?: number;
  threads?: number;
  out?: string;
  force?: boolean;
  resume?: string;
  quiet?: boolean;
}

/** A run that is ready to begin or to go on. */
export interface TrainPlan {
  settings: TrainSettings;
  folder: string;
  /** Where the folder's run goes on, when it has a checkpoint. */
  point?: ResumePoint;
}

/**
 * Checks the options.
 *
 * @throws UsageError naming the option.
 */
export async function planTraining(flags: TrainFlags, run: RunFolder): Promise<TrainPlan> {
  if (flags.resume !== undefined) return planResuming(flags.resume, flags, run);
  const { ways = 5, shots = 1, learner = "hyper-representation" } = flags;
  const data = flags.data ?? "omniglot";
  const { inner, rate, train } = defaultsOf(learner);
  const isOmniglot = data === "omniglot";
  if (!isOmniglot && flags.split !== undefined) {
    throw new UsageError(
      "--split is for omniglot; leave it out for a folder, whose folders train, validation and test are its split where it has them",
    );
  }
  if (isOmniglot && (flags.color === true || flags.invert === true)) {
    throw new UsageError(
      `--${flags.color === true ? "color" : "invert"} is for folders of images; leave it out for omniglot`,
    );
  }
  const settings: TrainSettings = {
    data,
    split: flags.split ?? "1200/100/323",
    size: flags.size ?? 28,
    channels: flags.color === true ? 3 : 1,
    invert: isOmniglot || flags.invert === true,
    learner,
    filters: flags.filters ?? 64,
    variant: flags.variant ?? "strided",
    ...(inner && { innerSteps: inner.steps, innerRate: inner.rate(flags.trainWays ?? ways) }),
    ...given(flags, ["innerSteps", "innerRate", "learnInnerRate", "stepShots", "rule"]),
    ...(train && { trainShots: Math.max(train.shots, shots), trainQueries: train.queries }),
    ...given(flags, ["trainWays", "trainShots", "trainQueries"]),
    from: flags.from === undefined ? undefined : await startOf(flags.from),
    ways,
    shots,
    queries: flags.queries ?? 15,
    tasks: flags.tasks ?? 4,
    rate: flags.rate ?? rate,
    seed: flags.seed ?? 0,
    steps: flags.steps ?? 20_000,
    every: flags.every ?? 200,
    validationEpisodes: flags.validationEpisodes ?? 200,
    patience: flags.patience ?? 30,
    batchNorm: flags.batchNorm ?? "batch",
  };
  checkLearnerOptions(settings);
  const folder = flags.out ?? `stackelberg-${learner}-${ways}way-${shots}shot`;
  // Said before the images are read; the opening looks again.
  await checkOutputFolder(folder, flags.force === true);
  return { settings, folder };
}

/** Creates the folder of a new run, or notes that an old one goes on for more steps. */
export async function beginRun(
  { settings, folder }: TrainPlan,
  flags: TrainFlags,
  run: RunFolder,
): Promise<void> {
  if (flags.resume === undefined) await run.begin(folder, { force: flags.force === true });
  await run.describe({ settings });
}

/** The command that makes a run with these settings. */
export function trainCommand(settings: TrainSettings, maxUnpacked?: number): string {
  const { data, split, size, channels, invert, learner, from, ...rest } = settings;
  const isOmniglot = data === "omniglot";
  const words = ["fewshot", "train", "--data", data, "--learner", learner];
  if (isOmniglot) words.push("--split", split);
  words.push("--size", String(size), ...optionWords("--max-unpacked", maxUnpacked));
  if (!isOmniglot && channels === 3) words.push("--color");
  if (!isOmniglot && invert) words.push("--invert");
  if (from !== undefined) words.push("--from", from.path);
  for (const [name, value] of Object.entries(rest)) {
    words.push(optionName(name), String(value));
  }
  const { ways, shots } = settings;
  words.push("--out", freshFolder(`stackelberg-${learner}-${ways}way-${shots}shot`, "again"));
  return commandText(words);
}

async function startOf(path: string): Promise<NonNullable<TrainSettings["from"]>> {
  const { episodes, seconds } = await readModel(path, sayAside);
  return { path, episodes, seconds };
}

async function planResuming(folder: string, flags: TrainFlags, run: RunFolder): Promise<TrainPlan> {
  checkResuming("fewshot train", flags);
  await run.resume(folder);
  const settings = await readTraining(folder);
  const point = await readResumePoint(folder, settings.every);
  if (flags.steps !== undefined && point !== undefined && flags.steps < point.step) {
    throw new UsageError(
      `--steps ${flags.steps}: the run in ${folder} has made ${point.step} steps already; give more, or leave the option out`,
    );
  }
  return {
    settings: { ...settings, ...given(flags, ["steps"]) },
    folder,
    ...(point && { point }),
  };
}

/** The options among `names` that were typed. */
function given<K extends keyof TrainFlags>(
  flags: TrainFlags,
  names: readonly K[],
): { [N in K]?: NonNullable<TrainFlags[N]> } {
  return Object.fromEntries(
    names.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  ) as { [N in K]?: NonNullable<TrainFlags[N]> };
}
