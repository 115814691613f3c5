/** What the active set of a constrained follower says about the hypergradient: its part of the status and of the sentence. */
import type { LinearVerdict } from "./linear-report.ts";

/** Reads what a rule measured; undefined when the follower's constraints were not looked at. */
export function judgeActiveSet(
  measured: Readonly<Partial<Record<string, number>>>,
): LinearVerdict | undefined {
  const { constraints, activeConstraints: active } = measured;
  if (constraints === undefined || active === undefined) return undefined;
  const m = measured as Readonly<Record<string, number>>;
  const say = (name: string): string => `${name} ${m[name]!.toExponential(1)}`;
  const numbers = ["stationarity", "feasibility", "complementarity"].map(say).join(", ");
  const found = FINDINGS.filter(({ applies }) => applies(m));
  const status = found.find(({ status }) => status === "singular")?.status ?? found[0]?.status;
  const first = `${active} of ${constraints} constraints ${active === 1 ? "is" : "are"} active (${numbers}).`;
  return { status, sentence: [first, ...found.map(({ sentence }) => sentence(m))].join(" ") };
}

/** What the active sets of a whole run leave to say: a sentence when some of them were degenerate. */
export function activeSetWarnings(
  history: readonly { readonly measured: Readonly<Record<string, number>> }[],
): string[] {
  const verdicts = history.map(({ measured }) => judgeActiveSet(measured));
  const degenerate = verdicts.filter((verdict) => verdict?.status !== undefined);
  const last = degenerate.at(-1);
  if (last === undefined) return [];
  return [
    `In ${degenerate.length} of ${history.length} evaluations the follower's answer was degenerate or not optimal under its constraints. The last of them: ${last.sentence}`,
  ];
}

interface Finding {
  readonly status: "singular" | "max-steps";
  readonly applies: (m: Readonly<Record<string, number>>) => boolean;
  readonly sentence: (m: Readonly<Record<string, number>>) => string;
}

const FINDINGS: readonly Finding[] = [
  {
    status: "singular",
    applies: (m) => m["dependentConstraints"]! > 0,
    sentence: () =>
      "The gradients of the active constraints are linearly dependent: their multipliers are not unique, and unless one constraint only repeats others, the answer has no derivative here; state each constraint once.",
  },
  {
    status: "singular",
    applies: (m) => m["weaklyActive"]! > 0,
    sentence: (m) =>
      `${constraintsHave(m["weaklyActive"]!)} a multiplier of zero (no strict complementarity): the answer has a kink here, and the hypergradient is the one-sided derivative that keeps ${m["weaklyActive"] === 1 ? "it" : "them"} active.`,
  },
  {
    status: "singular",
    applies: (m) => m["tangentCurvature"]! < 0,
    sentence: (m) =>
      `The Lagrangian's curvature along the constraints is negative (${m["tangentCurvature"]!.toExponential(2)}): the answer is no minimum, and the hypergradient no derivative of one.`,
  },
  {
    status: "max-steps",
    applies: (m) => m["negativeMultipliers"]! > 0,
    sentence: (m) =>
      `${constraintsHave(m["negativeMultipliers"]!)} a negative multiplier: the follower would gain by leaving ${m["negativeMultipliers"] === 1 ? "it" : "them"}; raise steps.`,
  },
];

function constraintsHave(count: number): string {
  return count === 1 ? "1 active constraint has" : `${count} active constraints have`;
}
