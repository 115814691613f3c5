/** What the linear system of an implicit rule says about the hypergradient: its part of the status and of the sentence. */
import { LINEAR_OUTCOMES, type LinearOutcome, type LinearReport } from "../../../linear/index.ts";
import type { MeasuredNumbers } from "../../bounds.ts";
import type { Status, Verdict } from "../../rule.ts";

/** A linear solver's measurements under the names they have in a rule's {@link Measured}. */
export interface LinearMeasured<T> {
  /** ‖b − A·q‖ */
  readonly linearResidual: T;
  /** ‖b − A·q‖ / ‖b‖ */
  readonly linearRelativeResidual: T;
  /** Iterations of the solver. */
  readonly linearSteps: T;
  /** Smallest and largest curvature of A that the solver met; NaN when it met none. */
  readonly smallestCurvature: T;
  readonly largestCurvature: T;
  /** Index into {@link LINEAR_OUTCOMES}. */
  readonly linearOutcome: T;
}

/** A solver's report as a rule measures it. */
export function linearMeasured<T>(report: LinearReport<T>): LinearMeasured<T> {
  return {
    linearResidual: report.residualNorm,
    linearRelativeResidual: report.relativeResidual,
    linearSteps: report.steps,
    smallestCurvature: report.smallestCurvature,
    largestCurvature: report.largestCurvature,
    linearOutcome: report.outcome,
  };
}

/** How the linear system ended. */
export function judgeLinear(measured: MeasuredNumbers): Verdict {
  const facts = measured as unknown as LinearMeasured<number>;
  const outcome = LINEAR_OUTCOMES[facts.linearOutcome]!;
  const status = STATUS[outcome];
  return {
    status,
    sentence: SENTENCES[outcome](facts),
    // Without a unique solution there is nothing for the hypergradient to be the derivative of.
    headline: status === "singular" ? status : undefined,
  };
}

/** What the linear systems of a whole run leave to say: a sentence when some of them were not solved. */
export function linearWarnings(history: readonly MeasuredNumbers[]): string[] {
  const unsolved = history.map(judgeLinear).filter(({ status }) => status !== undefined);
  const last = unsolved.at(-1);
  if (last === undefined) return [];
  const isSingular = unsolved.some(({ status }) => status === "singular");
  const why = isSingular
    ? "; where it is singular or not positive definite, the inner solution is not unique or not a minimum, and the hypergradient no derivative of it"
    : "";
  return [
    `In ${unsolved.length} of ${history.length} evaluations the linear system of the hypergradient was not solved${why}. The last of them: ${last.sentence}`,
  ];
}

const STATUS: Readonly<Record<LinearOutcome, Status | undefined>> = {
  converged: undefined,
  "max-steps": "max-steps",
  singular: "singular",
  "negative-curvature": "singular",
  inconsistent: "singular",
  stagnated: "max-steps",
  diverged: "diverged",
  "non-finite": "non-finite",
  overdamped: "max-steps",
};

const SENTENCES: Readonly<Record<LinearOutcome, (m: LinearMeasured<number>) => string>> = {
  converged: (m) => `The linear system is solved to ${residual(m)} in ${m.linearSteps} steps.`,
  "max-steps": (m) =>
    `The linear system is not solved (${residual(m)} after ${m.linearSteps} steps): allow the solver more steps or a higher rank, or add damping.`,
  singular: (m) =>
    `The linear system met a direction without curvature in step ${m.linearSteps} and was left at ${residual(m)}.`,
  "negative-curvature": (m) =>
    `The linear system met negative curvature (${m.smallestCurvature.toExponential(2)}) by step ${m.linearSteps} and was left at ${residual(m)}: the follower is not at a minimum; make more inner steps, or use minres if a saddle is meant.`,
  inconsistent: (m) =>
    `The linear system has no solution; its least-squares solution after ${m.linearSteps} steps leaves ${residual(m)}.`,
  stagnated: (m) =>
    `The linear system stagnated at ${residual(m)} after ${m.linearSteps} steps: rounding allows no more; loosen rtol, add damping, or use float64.`,
  diverged: (m) =>
    `The linear system's iteration diverges (${residual(m)} after ${m.linearSteps} steps): the solver's step is too large, or the dynamics do not contract at the follower's response.`,
  "non-finite": (m) =>
    `The linear system's residual is not finite after ${m.linearSteps} steps: the second derivatives at the follower's response are not finite, or grow beyond all bounds.`,
  overdamped: (m) =>
    `The linear system is solved only with its damping, which outweighs the curvature along a good part of the response (${m.smallestCurvature.toExponential(2)} with the damping): lower the damping, or use a rule that needs no unique solution where there is none.`,
};

function residual({ linearRelativeResidual }: LinearMeasured<number>): string {
  return `a relative residual of ${linearRelativeResidual.toExponential(1)}`;
}
