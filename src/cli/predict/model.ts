// The model of a run's folder, as `predict` opens it: model.json, and the check that model.onnx beside it is still the one
// that was written with it.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { checkModel, type TabularModel } from "../../automl/index.ts";
import {
  DamagedFileError,
  openSealedJson,
  previousName,
  readRegularFile,
  sha256,
  unsealedNote,
} from "../../files/index.ts";
import { UsageError } from "../command/errors.ts";

/** The files that a model consists of. */
export const modelNames = ["model.json", "model.onnx"] as const;

const remedy = "put a copy of it back, or tune again";

/**
 * Reads the model of an output folder of `tune`.
 *
 * @param note - told when model.json has no checksum.
 * @throws UsageError or DamagedFileError when there is none, or one of its files is not what was written.
 */
export async function openModel(
  folder: string,
  note: (text: string) => void,
): Promise<TabularModel> {
  const path = join(folder, "model.json");
  const bytes = await readRegularFile(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw await withoutModel(folder);
  });
  const { value, sealed } = openSealedJson(bytes, path, remedy);
  const model = checkModel(value, path);
  await checkOnnx(join(folder, "model.onnx"), value);
  if (!sealed) note(unsealedNote(path));
  return model;
}

const described = v.looseObject({ onnx: v.looseObject({ sha256: v.string() }) });

/** Who applies one of the two files would get another answer than who applies the other. */
async function checkOnnx(path: string, document: unknown): Promise<void> {
  const found = v.safeParse(described, document);
  // An older version wrote no sum.
  if (!found.success) return;
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  // model.json is a model of its own.
  if (bytes === undefined || sha256(bytes) === found.output.onnx.sha256) return;
  throw new DamagedFileError(
    `${path} is damaged or was changed: its SHA-256 is not the one in model.json; ${remedy}`,
  );
}

async function withoutModel(folder: string): Promise<UsageError> {
  const earlier = join(folder, previousName);
  const hasEarlier = await stat(join(earlier, "model.json")).then(
    () => true,
    () => false,
  );
  return new UsageError(
    hasEarlier
      ? `${folder} holds no model.json yet; the earlier run's is in ${earlier}`
      : `${folder} holds no model.json: give the output folder of \`stackelberg tune\` first, then the data file`,
  );
}
