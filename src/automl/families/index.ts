/** The registry of model families: a family is a folder and a line here. */
import { DataError } from "../../data/index.ts";
import type { ModelFamily } from "./family.ts";
import { linear } from "./linear/index.ts";

/** All families, the default one first. */
export const families: readonly ModelFamily[] = [linear];

/**
 * The family of a model.
 *
 * @param among - families that are known. Default: {@link families}.
 * @throws DataError when none has the name.
 */
export function familyNamed(name: string, among: readonly ModelFamily[] = families): ModelFamily {
  const found = among.find((family) => family.name === name);
  if (found !== undefined) return found;
  const known = among.map((family) => family.name).join(", ");
  throw new DataError(
    `A model of the family "${name}" was made by another version, or with a family of its own; known are ${known}.`,
  );
}
