// checkpoint.json: what an interrupted run needs to go on: which data, which settings, and the state
// of the run in the library's own exact encoding.

import { join } from "node:path";
import * as v from "valibot";
import type { DateChoice } from "../../data/index.ts";
import {
  checkSchema,
  count,
  openSealedJson,
  positive,
  positiveCount,
  readRegularFile,
  sealJson,
  unsealedNote,
} from "../../files/index.ts";
import { checkpointOf } from "../../automl/internal.ts";
import { encodeCheckpoint, type TuneCheckpoint } from "../../automl/index.ts";
import { checkSettings, readSettings, settingsName } from "../../study/index.ts";
import { UsageError } from "../command/errors.ts";
import { devices, tasks, type TuneSettings } from "../command/options.ts";

/** Name of the checkpoint in the output folder. */
export const checkpointName = "checkpoint.json";

/** The state of a run on disk. */
export interface SavedRun {
  version: 1;
  /** The data file: its absolute path then, and the SHA-256 of its bytes in hexadecimal. */
  data: { path: string; sha256: string };
  settings: TuneSettings;
  completed: boolean;
  state: TuneCheckpoint;
}

/** A run to go on with; without a state when it ended before its first checkpoint. */
export type InterruptedRun = Omit<SavedRun, "state"> & { readonly state?: TuneCheckpoint };

/** The run as it would be saved; none before its first checkpoint. */
export function savedRunOf(run: InterruptedRun | undefined): SavedRun | undefined {
  return run?.state === undefined ? undefined : { ...run, state: run.state };
}

const names = v.array(v.string());
const dateChoice = v.custom<DateChoice>(
  (value) => typeof value === "string" && /^(ymd|dmy|mdy)(@\d{4})?$/.test(value),
);

/** A setting that is not here does not compile. */
const settingsMembers = {
  target: v.string(),
  task: v.exactOptional(v.picklist(tasks)),
  holdout: positive,
  folds: v.exactOptional(positiveCount),
  validation: v.exactOptional(positive),
  seed: count,
  repeats: positiveCount,
  steps: positiveCount,
  rule: v.exactOptional(v.string()),
  budgetSeconds: v.exactOptional(positive),
  threads: v.exactOptional(positiveCount),
  device: v.picklist(devices),
  header: v.exactOptional(v.boolean()),
  delimiter: v.exactOptional(v.string()),
  categorical: names,
  numeric: names,
  missing: v.exactOptional(names),
  decimal: v.exactOptional(v.picklist([".", ","])),
  date: v.exactOptional(v.union([dateChoice, v.record(v.string(), dateChoice)])),
  encoding: v.exactOptional(v.string()),
  skip: v.exactOptional(count),
  footer: v.exactOptional(count),
  dropRagged: v.exactOptional(v.boolean()),
  maxUnpacked: v.exactOptional(positiveCount),
  exclude: v.exactOptional(names),
  minClass: v.exactOptional(positiveCount),
} satisfies Record<keyof TuneSettings, unknown>;

const settings: v.GenericSchema<unknown, TuneSettings> = v.strictObject(settingsMembers);

const savedRun: v.GenericSchema<unknown, Omit<SavedRun, "state"> & { state: unknown }> =
  v.looseObject({
    version: v.literal(1),
    data: v.looseObject({ path: v.string(), sha256: v.string() }),
    settings,
    completed: v.boolean(),
    state: v.unknown(),
  });

/** The text of checkpoint.json. */
export function encodeSavedRun(run: SavedRun): string {
  const state: unknown = JSON.parse(encodeCheckpoint(run.state));
  return sealJson(JSON.stringify({ ...run, state }));
}

/**
 * Reads the checkpoint of an output folder, or the settings of a run that had none yet.
 *
 * @param note - told when the file has no checksum.
 * @throws UsageError or DamagedFileError when there is none or it is not one of ours.
 */
export async function readInterruptedRun(
  folder: string,
  note: (text: string) => void,
): Promise<InterruptedRun> {
  const path = join(folder, checkpointName);
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    return undefined;
  });
  if (bytes === undefined) return readBegunRun(folder);
  const remedy = "put a copy of it back, or start the run again without --resume";
  const { value, sealed } = openSealedJson(bytes, path, remedy);
  const run = checkSchema(savedRun, value, path, remedy);
  const state = checkpointOf(run.state, path);
  if (!sealed) note(unsealedNote(path));
  return { ...run, state };
}

async function readBegunRun(folder: string): Promise<InterruptedRun> {
  const found = await readSettings(folder);
  const { command = "stackelberg fewshot train", data } = found ?? {};
  const hint = "give the output folder of an interrupted run of `stackelberg tune`";
  if (found === undefined) {
    throw new UsageError(
      `--resume ${folder}: there is neither ${checkpointName} nor ${settingsName} in it; ${hint}`,
    );
  }
  if (command !== "stackelberg tune" || data === undefined) {
    throw new UsageError(`--resume ${folder}: that is a run of ${command}; ${hint}`);
  }
  return { version: 1, data, settings: checkSettings(settings, found, folder), completed: false };
}
