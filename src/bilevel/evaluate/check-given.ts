/**
 * The check's second look: differences are taken in float64, but the hypergradient that is used may be in float32, where the
 * same program can overflow or lose its digits.
 */
import { tree } from "@jax-js/jax";
import {
  type Placement,
  Tensor,
  tensor,
  type TensorLike,
  toTensor,
  type Tree,
} from "../../program/index.ts";
import { placementOf, treeMap } from "../../program/internal.ts";
import { compileEstimate, type EstimateResult, type EvaluationPoint } from "./hypergradient.ts";
import type { Problem } from "../problem.ts";
import { allFinite } from "./report.ts";
import type { Rule } from "../rule.ts";

/** The hypergradient in the type in which the arrays came, where the differences were taken in another. */
export interface GivenType {
  readonly precision: "float32";
  /** Whether value, hypergradient and weights are all finite. */
  readonly isFinite: boolean;
  /** ‖h − h₆₄‖, relative to ‖h₆₄‖ or, where that is small, to a thousandth of 1 + |F|; NaN where it is not finite. */
  readonly relativeError: number;
}

/** What passes of {@link GivenType.relativeError}: rounding of float32, multiplied on the way through the steps. */
export const GIVEN_TOLERANCE = 5e-3;

/** The hypergradient in float32, where it was asked for, beside that in float64. */
export async function inGivenType(
  problem: Problem,
  rule: Rule,
  options: EvaluationPoint & Placement,
  wide: Pick<EstimateResult, "gradient" | "value">,
): Promise<GivenType | undefined> {
  const point = hostPoint(options);
  const isNarrow = [point.lambda, point.w ?? []].some((values) =>
    tree.leaves<Tensor>(values as Tree<Tensor>).some(({ dtype }) => dtype === "float32"),
  );
  if (!isNarrow) return undefined;
  const compiled = await compileEstimate(problem, rule, point, placementOf(options));
  const { value, gradient, w } = await compiled.run(point);
  const isAll = [value, gradient, w].every((values) => allFinite(values));
  const difference = treeMap(
    (a: Tensor, b: Tensor) =>
      new Tensor(
        "float64",
        a.shape,
        Float64Array.from(a.data, (x, i) => Number(x) - Number(b.data[i]!)),
      ),
    gradient,
    wide.gradient,
  );
  const size = Math.max(norm(wide.gradient), 1e-3 * (1 + Math.abs(wide.value.item())));
  return {
    precision: "float32",
    isFinite: isAll,
    relativeError: isAll ? norm(difference) / size : NaN,
  };
}

/** It in words. */
export function givenInWords({ isFinite, relativeError }: GivenType, isRight: boolean): string {
  if (!isFinite) {
    return "But in float32, the type that came, it is not finite: a number on the way exceeds the type, or loses a difference in it; give float64 arrays, or scale the problem.";
  }
  const error = relativeError.toExponential(1);
  return isRight
    ? `In float32, the type that came, it is the same to ${error}.`
    : `But in float32, the type that came, it differs from that by ${error}: rounding is amplified on the way; give float64 arrays, make fewer steps or smaller ones, or scale the problem.`;
}

/** A point on the host, with its float32 arrays in another type when one is given. */
export function hostPoint(
  { lambda, w, data, batched }: EvaluationPoint,
  dtype?: "float64",
): EvaluationPoint {
  const cast = (leaf: TensorLike): Tensor => {
    const host = toTensor(leaf);
    return dtype && host.dtype === "float32" ? tensor(host, { dtype }) : host;
  };
  const all = (values: Tree<TensorLike>): Tree<Tensor> => treeMap(cast, values);
  return {
    lambda: all(lambda),
    w: w && all(w),
    data: { inner: all(data.inner), outer: all(data.outer) },
    ...(batched ? { batched } : {}),
  };
}

/** Σ a·b over all leaves. */
export function dot(a: Tree<Tensor>, b: Tree<Tensor>): number {
  const right = tree.leaves<Tensor>(b);
  let sum = 0;
  tree.leaves<Tensor>(a).forEach((leaf, k) => {
    for (let i = 0; i < leaf.size; i++) sum += leaf.data[i]! * right[k]!.data[i]!;
  });
  return sum;
}

/** Euclidean norm over all leaves. */
export function norm(values: Tree<Tensor>): number {
  return Math.sqrt(dot(values, values));
}
