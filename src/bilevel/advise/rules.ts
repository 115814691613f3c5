/** From measurements to rules, and what was found in words. */
import type { Advice, InnerSolutions } from "./types.ts";
import { percent, type AdviseContext, type Considered } from "./draft.ts";
import { isNoisy, isWithin, judgeSolutions, noiseFloor, SOLVED } from "./judgement.ts";
import { forUnique } from "./unique.ts";
import { forMany } from "./without-unique-solution.ts";
import type { MeasuredProblem } from "./measure.ts";
import type { GradientNoise } from "./minibatch-noise.ts";

/** The rules that the measurements admit, best first, those that they forbid, and what was found, in words. */
export function adviseRules(
  measured: MeasuredProblem,
  given: Omit<AdviseContext, "isNoisy">,
): Pick<Advice, "innerSolutions" | "isSolved"> & Considered & { readonly found: string } {
  const context = { ...given, isNoisy: isNoisy(measured) };
  const innerSolutions = judgeSolutions(measured);
  const isSolved = isWithin(measured, SOLVED);
  const found = describe(measured, innerSolutions, isSolved, context.steps);
  const verdict = { innerSolutions, isSolved, found };
  if (measured.diverges) return { ...verdict, drafts: [], ruledOut: [] };
  if (innerSolutions === "unique") {
    return { ...verdict, ...forUnique(measured, context, isSolved) };
  }
  return { ...verdict, ...forMany(measured, context, innerSolutions, isSolved) };
}

function describe(
  measured: MeasuredProblem,
  innerSolutions: InnerSolutions,
  isSolved: boolean,
  steps: number,
): string {
  if (measured.diverges) return `The follower diverges in ${steps} steps.`;
  const { smallest, largest } = measured.atResponse;
  const curvature = `curvature from ${smallest.toPrecision(2)} to ${largest.toPrecision(2)}`;
  const bound = measured.atResponse.isExhausted ? "" : "; the least may be smaller still";
  const solutions: Record<InnerSolutions, string> = {
    unique: `The inner solution is unique as far as ${measured.starts} starts show (${curvature}${bound})`,
    flat: measured.atResponse.isExhausted
      ? `The inner objective has a flat direction (${curvature}), so that its solution is not unique`
      : `The inner objective has directions that are flat, or so nearly that the starts end apart (${curvature}${bound})`,
    several: `The inner objective is not convex and has several solutions or none that is certain (${curvature} where the follower went, ${measured.anywhere.smallest.toPrecision(2)} at the least)`,
  };
  const left = percent(measured.relativeGradientNorm);
  const solved = isSolved
    ? `${steps} steps solve it (${left} of the gradient is left)`
    : `${steps} steps do not solve it (${left} of the gradient is left)`;
  return `${solutions[innerSolutions]}; ${solved}.${describeNoise(measured)}`;
}

function describeNoise(measured: MeasuredProblem): string {
  const { noise } = measured;
  if (!noise) return "";
  const scale = ({ scale }: GradientNoise): string =>
    scale === Infinity ? "infinite" : scale.toPrecision(2);
  const levels = (["inner", "outer"] as const).flatMap((level) => {
    const along = noise[level];
    if (!along) return [];
    return `that of the ${level} one is ${scale(along.start)} at the start and ${scale(along.response)} where the follower went`;
  });
  const floor = noise.inner
    ? `; with one in each step the inner gradient stays at ${percent(noiseFloor(measured))} of its start`
    : "";
  return ` On ${noise.batches} minibatches the noise scale of a gradient, its variance over its squared norm: ${levels.join(", ")}${floor}.`;
}
