/** A fitted model of a table: everything that turns raw columns into predictions, and its members in a model file. */
import type { Encoder, Target } from "../../data/index.ts";
import type { ModelFamily } from "../families/family.ts";
import { familyNamed } from "../families/index.ts";

/** A fitted model. Plain data. */
export interface TabularModel {
  version: 1;
  /** In the registry of families. */
  family: string;
  target: Target;
  encoder: Encoder;
  /** What only the family reads. */
  fitted: unknown;
}

/** The model's members of model.json; `checkModel` reads them. */
export function encodeTabularModel(
  { fitted, ...shared }: TabularModel,
  among?: readonly ModelFamily[],
): Readonly<Record<string, unknown>> {
  return { ...shared, ...familyNamed(shared.family, among).encode(fitted) };
}
