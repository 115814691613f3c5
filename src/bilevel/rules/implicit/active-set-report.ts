/** What the active set of a constrained follower says about the hypergradient: its part of the status and of the sentence. */
import type { MeasuredNumbers } from "../../bounds.ts";
import type { Verdict } from "../../rule.ts";

/** Which constraints are active, and whether the response is a solution that has a derivative. */
export function judgeActiveSet(m: MeasuredNumbers): Verdict {
  const { constraints, activeConstraints: active } = m;
  const say = (name: string): string => `${name} ${m[name]!.toExponential(1)}`;
  const numbers = ["stationarity", "feasibility", "complementarity"].map(say).join(", ");
  const found = FINDINGS.filter(({ applies }) => applies(m));
  const status = found.find(({ status }) => status === "singular")?.status ?? found[0]?.status;
  const headline = found.find(({ isHeadline }) => isHeadline)?.status;
  const first = `${active} of ${constraints} constraints ${active === 1 ? "is" : "are"} active (${numbers}).`;
  return {
    status,
    headline,
    sentence: [first, ...found.map(({ sentence }) => sentence(m))].join(" "),
  };
}

/** What the active sets of a whole run leave to say: a sentence when some of them were degenerate. */
export function activeSetWarnings(history: readonly MeasuredNumbers[]): string[] {
  const degenerate = history.map(judgeActiveSet).filter(({ status }) => status !== undefined);
  const last = degenerate.at(-1);
  if (last === undefined) return [];
  return [
    `In ${degenerate.length} of ${history.length} evaluations the follower's response was degenerate or not optimal under its constraints. The last of them: ${last.sentence}`,
  ];
}

interface Finding {
  /** "singular": the response has no derivative there; "max-steps": it is no solution. */
  readonly status: "singular" | "max-steps";
  /** Whether it takes the place of the report's first sentence, where that says that the follower is solved. */
  readonly isHeadline?: boolean;
  readonly applies: (m: MeasuredNumbers) => boolean;
  readonly sentence: (m: MeasuredNumbers) => string;
}

const FINDINGS: readonly Finding[] = [
  {
    status: "singular",
    applies: (m) => m["dependentConstraints"]! > 0,
    sentence: () =>
      "The gradients of the active constraints are linearly dependent: their multipliers are not unique, and unless one constraint only repeats others, the response has no derivative here; state each constraint once.",
  },
  {
    status: "singular",
    applies: (m) => m["weaklyActive"]! > 0,
    sentence: (m) =>
      `${constraintsHave(m["weaklyActive"]!)} a multiplier of zero (no strict complementarity): the response has a kink here, and the hypergradient is the one-sided derivative that keeps ${m["weaklyActive"] === 1 ? "it" : "them"} active.`,
  },
  {
    status: "singular",
    applies: (m) => m["tangentCurvature"]! < 0,
    sentence: (m) =>
      `The Lagrangian's curvature along the constraints is negative (${m["tangentCurvature"]!.toExponential(2)}): the response is no minimum, and the hypergradient no derivative of one.`,
  },
  {
    status: "max-steps",
    // ‖w − P(w − ∇_w L)‖ vanishes at a solution on the projection's set, which another set's conditions need not know.
    applies: (m) =>
      m["isProjected"] === 1 &&
      Math.hypot(m["stationarity"]!, m["feasibility"]!) >
        Math.max(1e-6, 100 * m["innerGradientNorm"]!, 0.01 * m["initialInnerGradientNorm"]!),
    sentence: () =>
      "These conditions do not hold at the projected response: the projection is not onto the set that the constraints describe; make them agree, or leave the projection out.",
  },
  {
    status: "max-steps",
    isHeadline: true,
    applies: (m) => m["negativeMultipliers"]! > 0,
    sentence: (m) =>
      `${constraintsHave(m["negativeMultipliers"]!)} a negative multiplier: the follower would gain by leaving ${m["negativeMultipliers"] === 1 ? "it" : "them"}; raise steps.`,
  },
];

function constraintsHave(count: number): string {
  return count === 1 ? "1 active constraint has" : `${count} active constraints have`;
}
