/** The curve of an outer loop: a few numbers for each step, and their form as columns of a checkpoint. */
import { Tensor } from "../../program/index.ts";

/** The numbers of one outer step, all at that step's λ, before its update. */
export interface StepRecord {
  /** Outer updates made before this evaluation; step 0 is the start. */
  readonly step: number;
  /** The outer objective E(w(λ), λ). */
  readonly value: number;
  /** The inner objective L(w(λ), λ) at the follower's response; NaN when `solve` is told to leave it out. */
  readonly innerValue: number;
  /** ‖dF/dλ‖₂ over all leaves. */
  readonly gradientNorm: number;
  /** ‖λ − P(λ − dF/dλ)‖₂ with the constraints' projection P; without constraints the same as gradientNorm. */
  readonly projectedGradientNorm: number;
  /** ‖∇_w L‖ at the follower's response. */
  readonly innerGradientNorm: number;
  /** ‖∇_w L‖ where the follower started this step. */
  readonly initialInnerGradientNorm: number;
  /** The rule's further measurements by name. */
  readonly measured: Readonly<Record<string, number>>;
  /** Wall-clock seconds of the evaluation; absent in steps that come from a checkpoint. */
  readonly seconds?: number;
}

const fields = [
  "value",
  "innerValue",
  "gradientNorm",
  "projectedGradientNorm",
  "innerGradientNorm",
  "initialInnerGradientNorm",
] as const;

/** The records as float64 columns [steps], without the wall-clock times. */
export function toColumns(history: readonly StepRecord[]): Record<string, Tensor> {
  const column = (read: (record: StepRecord) => number): Tensor =>
    new Tensor("float64", [history.length], Float64Array.from(history, read));
  const measured = Object.keys(history[0]?.measured ?? {});
  return Object.fromEntries([
    ...fields.map((field) => [field, column((record) => record[field])] as const),
    ...measured.map((name) => [
      `measured/${name}`,
      column((record) => record.measured[name] ?? Number.NaN),
    ]),
  ]) as Record<string, Tensor>;
}

/** The inverse of {@link toColumns}. Missing columns read as NaN. */
export function fromColumns(columns: Readonly<Record<string, Tensor>>): StepRecord[] {
  const length = columns["value"]?.size ?? 0;
  const measured = Object.keys(columns).filter((name) => name.startsWith("measured/"));
  return Array.from({ length }, (_, step) => {
    const at = (name: string): number => columns[name]?.data[step] ?? Number.NaN;
    const numbers = Object.fromEntries(fields.map((field) => [field, at(field)])) as Record<
      (typeof fields)[number],
      number
    >;
    const rest = measured.map((name) => [name.slice("measured/".length), at(name)] as const);
    return { step, ...numbers, measured: Object.fromEntries(rest) };
  });
}
