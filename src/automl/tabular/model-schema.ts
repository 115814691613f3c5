/** What a model file must hold: the shape of every part, and that the parts fit one another. */
import * as v from "valibot";
import { encodedNames } from "../../data/internal.ts";
import type { CellFormat, EncodedInput } from "../../data/index.ts";
import { checkSchema, count, DamagedFileError, finite, positive } from "../../files/index.ts";
import type { ModelFamily } from "../families/family.ts";
import { families } from "../families/index.ts";
import type { TabularModel } from "./model.ts";

const names = v.array(v.string());

const target: v.GenericSchema<unknown, TabularModel["target"]> = v.variant("task", [
  v.looseObject({
    task: v.literal("regression"),
    name: v.string(),
    mean: finite,
    scale: positive,
  }),
  v.looseObject({
    task: v.picklist(["binary", "multiclass"]),
    name: v.string(),
    classes: v.pipe(names, v.minLength(2)),
  }),
]);

const format: v.GenericSchema<unknown, CellFormat> = v.variant("kind", [
  v.looseObject({
    kind: v.literal("number"),
    decimal: v.picklist([".", ","]),
    thousands: v.exactOptional(v.picklist([",", ".", " ", "'"])),
    unit: v.exactOptional(v.string()),
    minus: v.exactOptional(v.literal("behind")),
    isAssumed: v.exactOptional(v.literal(true)),
  }),
  v.looseObject({
    kind: v.literal("date"),
    order: v.exactOptional(v.picklist(["ymd", "dmy", "mdy"])),
    firstYear: v.exactOptional(v.pipe(v.number(), v.integer())),
    isAssumed: v.exactOptional(v.literal(true)),
  }),
]);

const input: v.GenericSchema<unknown, EncodedInput> = v.variant("kind", [
  v.looseObject({
    kind: v.literal("numeric"),
    name: v.string(),
    mean: finite,
    scale: positive,
    fill: finite,
    missingIndicator: v.boolean(),
    range: v.exactOptional(v.tuple([finite, finite])),
    format: v.exactOptional(format),
    isWhole: v.exactOptional(v.literal(true)),
    words: v.exactOptional(names),
  }),
  v.looseObject({
    kind: v.literal("categorical"),
    name: v.string(),
    levels: names,
    other: v.boolean(),
    missing: v.boolean(),
  }),
]);

/** Files of before there were families name none: their models are of the first. */
const shared: v.GenericSchema<
  unknown,
  Omit<TabularModel, "fitted" | "family"> & { family?: string }
> = v.looseObject({
  version: v.literal(1),
  family: v.exactOptional(v.string()),
  target,
  encoder: v.looseObject({
    version: v.literal(1),
    inputs: v.pipe(v.array(input), v.minLength(1)),
    width: count,
    group: v.array(count),
    columnNames: names,
    missing: v.exactOptional(names),
    dropped: v.array(v.looseObject({ name: v.string(), reason: v.string() })),
  }),
});

const remedy = "put a copy of it back, or tune again";

/**
 * The value of a model file as a model.
 *
 * @param source - what the message calls the file.
 * @param among - families that are known. Default: those of the registry.
 * @throws DamagedFileError saying what does not fit.
 */
export function checkModel(
  value: unknown,
  source: string,
  among: readonly ModelFamily[] = families,
): TabularModel {
  const { version, family: name, target, encoder } = checkSchema(shared, value, source, remedy);
  const wrong = contradiction({ target, encoder });
  if (wrong !== undefined) {
    throw new DamagedFileError(`${source} contradicts itself: ${wrong}; ${remedy}`);
  }
  const family = name === undefined ? families[0]! : among.find((one) => one.name === name);
  if (family === undefined) {
    throw new DamagedFileError(
      `${source} holds a model of the family "${name}", which this version does not know; predict with the version that wrote it, or tune again`,
    );
  }
  const fitted = family.decode(value as Record<string, unknown>, { target, encoder }, source);
  return { version, family: family.name, target, encoder, fitted };
}

function contradiction({
  target,
  encoder,
}: Pick<TabularModel, "target" | "encoder">): string | undefined {
  const { inputs, width, group, columnNames } = encoder;
  const isRepeated = (list: readonly string[]): boolean => new Set(list).size < list.length;
  if (isRepeated(inputs.map(({ name }) => name))) return "two inputs have one name";
  if (inputs.some((one) => one.kind === "categorical" && isRepeated(one.levels))) {
    return "two levels of an input are the same";
  }
  const columns = inputs.flatMap((one, i) => encodedNames(one).map((name) => ({ name, i })));
  const isEncoded =
    width === columns.length &&
    group.length === width &&
    columnNames.length === width &&
    columns.every(({ name, i }, j) => columnNames[j] === name && group[j] === i);
  if (!isEncoded) return "its encoded columns are not those of its inputs";
  const classes = target.task === "regression" ? [] : target.classes;
  if (isRepeated(classes)) return "two classes are the same";
  if (target.task === "binary" && classes.length !== 2) {
    return `a binary target has 2 classes, not ${classes.length}`;
  }
  return undefined;
}
