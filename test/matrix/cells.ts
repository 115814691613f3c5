/** What a rule does on a problem, as data. */
import type { Rule, Schedule, Status } from "../../src/bilevel/index.ts";
import {
  motionNames,
  type Column,
  type Lack,
  type MotionName,
  type ProblemName,
} from "./column.ts";
import type { Answer } from "./theory.ts";

/** A cell of the matrix. Tolerances are relative to the size of what is compared, or absolute below 1. */
export type Cell =
  /** The leader's hypergradient and the follower's answer, in closed form. */
  | { readonly kind: "agrees"; readonly tolerance: number; readonly why: string }
  /** What the rule's own theory gives; it differs from the leader's by more than ten tolerances. */
  | { readonly kind: "biased"; readonly tolerance: number; readonly why: string }
  /** As biased, but of a wrong inner solution: following it leads the leader elsewhere, and no status says so. */
  | { readonly kind: "misses"; readonly tolerance: number; readonly why: string }
  /** The leader's own descent ends where `leads` says: at its optimum when the kind is arrives, elsewhere when strays. */
  | { readonly kind: "arrives" | "strays"; readonly leads: Descent; readonly why: string }
  /** The report's status names what is wrong. */
  | { readonly kind: "flags"; readonly status: Status; readonly why: string }
  /** The evaluation throws. */
  | { readonly kind: "refuses"; readonly message: RegExp; readonly why: string }
  /** Not asked: what the rule needs and the problem lacks, or how their options do not fit. */
  | {
      readonly kind: "unclaimed";
      readonly because: Lack | "projection" | "design";
      readonly why: string;
    };

/** A run of plain gradient descent of the leader, from the column's λ and w. */
export interface Descent {
  /** What is looked at: the leader's variables, or the follower's answer. Default "lambda". */
  readonly of?: "lambda" | "w";
  readonly to: readonly number[];
  readonly tolerance: number;
  readonly rate: number | Schedule;
  readonly steps: number;
  readonly start?: "cold" | "warm";
  /** In the place of the row's own. */
  readonly rule?: () => Rule;
}

/** A whole row of cells. */
export type Cells = Readonly<Record<ProblemName, Cell>>;

const ROUNDING = "nothing but rounding and what the steps leave";

export const agrees = (tolerance = 1e-9, why: string = ROUNDING): Cell => ({
  kind: "agrees",
  tolerance,
  why,
});

export const biased = (why: string, tolerance = 1e-9): Cell => ({ kind: "biased", tolerance, why });

export const misses = (why: string, tolerance = 1e-9): Cell => ({ kind: "misses", tolerance, why });

export const flags = (why: string, status: Status = "singular"): Cell => ({
  kind: "flags",
  status,
  why,
});

export const refuses = (message: RegExp, why: string): Cell => ({ kind: "refuses", message, why });

/** The rule needs what the problem lacks. */
export const lacks = (because: Lack): Cell => ({
  kind: "unclaimed",
  because,
  why: `the problem lacks ${because}`,
});

/** The rule takes no projection, or no constraint of this kind. */
export const unconfined: Cell = {
  kind: "unclaimed",
  because: "projection",
  why: "it takes no constraint of this kind",
};

/** A reason that is the rule's own. */
export const unclaimed = (why: string): Cell => ({ kind: "unclaimed", because: "design", why });

/** Rules without a choice of dynamics, on columns of other dynamics than gradient descent. */
export const ownSteps: Readonly<Record<MotionName, Cell>> = on(
  motionNames,
  unclaimed("it has steps of its own, and takes no dynamics"),
);

/** Forms that differ from their rule's first one in what no network touches. */
export const asFirstForm: Partial<Record<MotionName, Cell>> = on(
  motionNames.filter((name) => name.startsWith("conv")),
  unclaimed("as the rule's first form, which has the column"),
);

/** One cell for several problems. */
export function on<N extends ProblemName>(
  names: readonly N[],
  cell: Cell,
): Readonly<Record<N, Cell>> {
  return Object.fromEntries(names.map((name) => [name, cell])) as Record<N, Cell>;
}

/** Whether a cell says that the rule's answer must not be followed on the problem. */
export function isFailure({ kind }: Cell): boolean {
  return kind === "misses" || kind === "strays" || kind === "flags" || kind === "refuses";
}

/** A row: one form of one rule, its theory, and its cells. */
export interface Row {
  /** As in the catalog. */
  readonly factory: string;
  /** The form's option, as in the catalog. */
  readonly option: string;
  readonly make: (column: Column) => Rule;
  /** What it must give by its definition. */
  readonly theory: (column: Column) => Answer | Promise<Answer>;
  /** Outer steps with a leader that stands still, after which a single loop has come to rest. Default 0. */
  readonly still?: (column: Column) => number;
  /** Whether `make` hands the column's projection or constraints to the rule. */
  readonly isConfined?: boolean;
  readonly cells: Cells;
}
