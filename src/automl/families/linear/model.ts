/** A fitted linear model: what it says of rows, and its members of model.json. */
import * as v from "valibot";
import { checkSchema, DamagedFileError, finite } from "../../../files/index.ts";
import type { Tensor } from "../../../program/index.ts";
import type { ModelFamily } from "../family.ts";
import { outputsOf, type EncodingPlan } from "../rows.ts";

/** Weights of the encoded columns. */
export interface LinearModel {
  /** [width][outputs]; one output for regression and binary, K for K classes. */
  readonly weights: readonly (readonly number[])[];
  /** [outputs] */
  readonly bias: readonly number[];
}

/** Weights [1, outputs, columns] as a model: padding removed, the last column is the bias. */
export function modelOf(width: number, weights: Tensor): LinearModel {
  const [, outputs, columns] = weights.shape as [number, number, number];
  const column = (j: number): number[] =>
    Array.from({ length: outputs }, (_, k) => weights.data[k * columns + j]!);
  return {
    weights: Array.from({ length: width }, (_, j) => column(j)),
    bias: column(columns - 1),
  };
}

/** x·weights + bias, [rows, outputs]. */
export function linearScores(
  { weights, bias }: LinearModel,
  x: Float32Array | Float64Array,
  rows: number,
): Float64Array {
  const outputs = bias.length;
  const flat = Float64Array.from(weights.flat());
  const result = new Float64Array(rows * outputs);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < outputs; k++) result[i * outputs + k] = bias[k]!;
    for (let j = 0; j < weights.length; j++) {
      const value = x[i * weights.length + j]!;
      if (value === 0) continue;
      for (let k = 0; k < outputs; k++) result[i * outputs + k]! += value * flat[j * outputs + k]!;
    }
  }
  return result;
}

const members: v.GenericSchema<unknown, LinearModel> = v.looseObject({
  weights: v.array(v.array(finite)),
  bias: v.array(finite),
});

/** See {@link ModelFamily.decode}. */
export const decodeLinear: ModelFamily<unknown, LinearModel>["decode"] = (
  value,
  { encoder, target }: Pick<EncodingPlan, "encoder" | "target">,
  source,
) => {
  const remedy = "put a copy of it back, or tune again";
  const { weights, bias } = checkSchema(members, value, source, remedy);
  const outputs = outputsOf(target);
  const fits = (list: readonly number[]): boolean => list.length === outputs;
  if (weights.length !== encoder.width || !weights.every(fits) || !fits(bias)) {
    throw new DamagedFileError(
      `${source} contradicts itself: ${encoder.width} columns and ${outputs} outputs need as many weights; ${remedy}`,
    );
  }
  return { weights, bias };
};
