/** Values and multipliers of constraints as plain numbers, between two solves. */
import type { Tensor } from "../../program/index.ts";
import type { ConstraintVectors } from "../estimate/constraints.ts";

/** Both kinds of constraints as plain vectors. */
export interface Numbers {
  readonly inequalities: readonly number[];
  readonly equalities: readonly number[];
}

/** max(0, μ + ρp) and ν + ρq. */
export function update(values: Numbers, multipliers: Numbers, penalty: number): Numbers {
  const { inequalities: p, equalities: q } = values;
  return {
    inequalities: p.map((v, i) => Math.max(0, multipliers.inequalities[i]! + penalty * v)),
    equalities: q.map((v, i) => multipliers.equalities[i]! + penalty * v),
  };
}

/** (1/2ρ) Σ (max(0, μ + ρp)² − μ²) + νᵀq + (ρ/2)‖q‖² */
export function augmentationOf(values: Numbers, multipliers: Numbers, penalty: number): number {
  const raised = update(values, multipliers, penalty).inequalities;
  const ofInequalities = raised.reduce(
    (sum, v, i) => sum + (v ** 2 - multipliers.inequalities[i]! ** 2) / (2 * penalty),
    0,
  );
  return values.equalities.reduce(
    (sum, v, i) => sum + multipliers.equalities[i]! * v + (penalty / 2) * v ** 2,
    ofInequalities,
  );
}

/** The largest of max(0, p) and |q|. */
export function violationOf({ inequalities, equalities }: Numbers): number {
  return Math.max(0, ...inequalities, ...equalities.map(Math.abs));
}

/** |a − b|, number by number. */
export function changes(a: Numbers, b: Numbers): number[] {
  return [
    ...a.inequalities.map((v, i) => Math.abs(v - b.inequalities[i]!)),
    ...a.equalities.map((v, i) => Math.abs(v - b.equalities[i]!)),
  ];
}

/** Every number mapped. */
export function mapNumbers(
  fn: (v: number) => number,
  { inequalities, equalities }: Numbers,
): Numbers {
  return { inequalities: inequalities.map(fn), equalities: equalities.map(fn) };
}

/** Host arrays as plain vectors. */
export function numbersOf({ inequalities, equalities }: ConstraintVectors<Tensor>): Numbers {
  const flat = (vectors: readonly Tensor[]): number[] =>
    vectors.flatMap(({ data }) => [...(data as Float64Array)]);
  return { inequalities: flat(inequalities), equalities: flat(equalities) };
}
