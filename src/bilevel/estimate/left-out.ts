/**
 * What a rule leaves out that differentiates only the follower's last K steps: how the weights before them depend on the
 * hyperparameters. K steps of T are a truncation; and where the follower starts where the last estimate left it, even all
 * T steps are only the last ones.
 *
 *     r = ‖α_{T−K}‖ / ‖α_T‖,     what is left out ≈ (r + r² + …) · what went through the K steps
 */
import { numpy as np, tree } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../program/index.ts";
import { callTree } from "../../program/internal.ts";
import type { MeasuredNumbers } from "../bounds.ts";
import type { Adjoint, Steps } from "./follower.ts";
import { treeDistance } from "./leaves.ts";
import type { Arrays } from "../problem.ts";
import type { Rule } from "../rule.ts";
import type { Tangents } from "./tangents.ts";
import { treeNorm } from "../../linear/internal.ts";

type Values = Tree<Value>;

/** What is measured of it; scalars. */
export interface LeftOutMeasured {
  /** r, how much of the adjoint, or of the tangents' growth, is left at the first differentiated step. */
  readonly remainingAdjoint: Value;
  /** ‖…‖ of what is left out, the kept part continued as a geometric series; infinite where it does not fall. */
  readonly truncationTail: Value;
}

/**
 * From the adjoint at both ends of the steps that are differentiated.
 *
 * @param kept - ‖h − ∇_λ E‖ of what went through them.
 * @param terms - T/K, how many times as many steps there are in all; infinite for a warm start.
 */
export function leftOutByAdjoint(
  program: Program,
  ends: { readonly first: Value[]; readonly last: Value[] },
  kept: Value,
  terms: number,
): LeftOutMeasured {
  const ratio = (first: np.Array[], last: np.Array[]): np.Array => {
    const whole = treeNorm(last);
    const positive = np.greater(whole, 0);
    return np.where(positive, treeNorm(first).div(np.where(positive, whole, 1)), 0);
  };
  return tailOf(program, program.call(ratio, ends.first, ends.last), kept, terms);
}

/** (r − rⁿ)/(1 − r) of what was kept: what all but the first of n terms of a geometric series sum to beside the first. */
function tailOf(program: Program, remaining: Value, kept: Value, terms: number): LeftOutMeasured {
  const tail = (r: np.Array, kept: np.Array): np.Array => {
    if (terms === Infinity) {
      const falls = np.less(r, 1);
      const ratio = np.where(falls, r, 0.5);
      return np.where(falls, ratio.div(np.subtract(1, ratio)).mul(kept), Infinity);
    }
    const isEven = np.less(np.abs(r.sub(1)), 1e-6);
    const ratio = np.where(isEven, 0.5, r);
    const power = np.exp(np.log(ratio).mul(terms));
    return np.where(isEven, terms - 1, ratio.sub(power).div(np.subtract(1, ratio))).mul(kept);
  };
  return { remainingAdjoint: remaining, truncationTail: program.call(tail, remaining, kept) };
}

/** A forward pass over the follower's steps, and what it tells of what it leaves out. */
export interface ForwardPass {
  readonly last: Values;
  readonly z: Value[];
  leftOut(adjoint: Adjoint, kept: Value): Partial<LeftOutMeasured>;
}

/**
 * Carries tangents forward from 0 and, at a warm start, looks at them on the way: after h of the T steps, h = ⌊T/2⌋, and
 * after 2h. What the second h steps add to the hypergradient has been through h steps more than what the first gave, and so
 * tells by how much T steps shrink it. One step does not tell, and minibatches differ from step to step.
 */
export function forwardPass(
  program: Program,
  tangents: Tangents,
  start: { readonly state: Values; readonly z: Value[] },
  steps: Steps,
  measures: boolean,
): ForwardPass {
  const half = Math.floor(steps.length / 2);
  if (!measures || half === 0 || tree.leaves(steps.batches).length > 0) {
    const [last, z] = tangents.forward(start.state, start.z, steps);
    return { last, z, leftOut: () => ({}) };
  }
  const part = (from: number, length: number): Steps => ({
    first: from === 0 ? steps.first : addTo(program, steps.first, from),
    length,
    batches: [],
  });
  const [middle, zHalf] = tangents.forward(start.state, start.z, part(0, half));
  const [next, zWhole] = tangents.forward(middle, zHalf, part(half, half));
  const rest = steps.length - 2 * half;
  const [last, z] =
    rest === 0 ? [next, zWhole] : tangents.forward(next, zWhole, part(2 * half, rest));
  const remaining = (half: Arrays, whole: Arrays, direct: Arrays, powers: np.Array): np.Array => {
    const first = treeDistance(half, direct);
    const positive = np.greater(first, 0);
    const perHalf = treeDistance(whole, half).div(np.where(positive, first, 1));
    return np.where(positive, np.exp(np.log(perHalf).mul(powers.astype(perHalf.dtype))), 0);
  };
  return {
    last,
    z,
    leftOut: (adjoint, kept) => {
      const ratio = callTree(
        program,
        remaining as never,
        tangents.gradient(adjoint, zHalf),
        tangents.gradient(adjoint, zWhole),
        adjoint.h,
        program.constant(tensor(steps.length / half)) as Value,
      ) as Value;
      return tailOf(program, ratio, kept, Infinity);
    },
  };
}

function addTo(program: Program, first: Steps["first"], count: number): Value {
  const made = program.constant(tensor(count, { dtype: "int32" })) as Value;
  return first === 0 ? made : program.call((a: np.Array, b: np.Array) => a.add(b), first, made);
}

/** What a warm start hides from a rule that differentiates T steps; see `Needs.warmBias`. */
export function warmBias(steps: number): string {
  const which = steps === 1 ? "step" : `${steps} steps`;
  return `it leaves out how the weights before the ${which}, where the last estimate left them, depend on the hyperparameters`;
}

/**
 * The judgement of a rule that differentiates `keep` steps.
 *
 * @param isTruncation - whether there are steps before them in every estimate, which `Needs.bias` then says.
 */
export function leftOutReport(
  keep: number,
  isTruncation: boolean,
): Required<Pick<Rule, "judge" | "warn">> {
  const bias = warmBias(keep);
  return {
    judge: (measured) => {
      if (!measured["warmStart"] && !isTruncation) return [];
      const { truncationTail: tail, indirectGradientNorm: kept } = measured;
      // Beside the rounding of float32 it is nothing.
      if (!isTruncation && tail! <= 1e-6 * kept!) return [];
      const why = measured["warmStart"] ? `The hypergradient is biased: ${bias}. ` : "";
      return [{ status: undefined, sentence: `${why}${estimateInWords(measured)}` }];
    },
    warn: (history) => {
      const last = history.at(-1);
      if (last === undefined || !isBiasedByStart(last)) return [];
      return [
        `The warm start biases each hypergradient: ${bias}. At the last step: ${estimateInWords(last)} Make more steps, start cold, or use an implicit rule.`,
      ];
    },
  };
}

/** Whether a warm start hides more than a hundredth of what the steps show, or nothing is known of how much. */
export function isBiasedByStart(measured: MeasuredNumbers): boolean {
  const { warmStart, truncationTail: tail, indirectGradientNorm: kept } = measured;
  return Boolean(warmStart) && !(tail! <= 0.01 * kept!);
}

function estimateInWords(measured: MeasuredNumbers): string {
  const {
    remainingAdjoint: remaining,
    truncationTail: tail,
    indirectGradientNorm: kept,
  } = measured;
  if (remaining === undefined || Number.isNaN(remaining)) {
    return "How much that is was not measured.";
  }
  const left = `${remaining.toPrecision(3)} of the adjoint is left at the first step that is differentiated`;
  if (!Number.isFinite(tail)) {
    return `How much that is has no estimate, for the adjoint does not fall on the way (${left}).`;
  }
  return `What it leaves out is an estimated ${tail!.toExponential(1)}, beside ${kept!.toExponential(1)} that went through the steps (${left}).`;
}
