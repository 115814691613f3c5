/**
 * How far a hypergradient h may be from that of the exact inner solution, ∇F(λ) with F(λ) = E(w*(λ), λ): the rule's theory,
 * evaluated at what a run measured and at the constants of the problem that are known.
 */
import { withDefaults } from "../program/internal.ts";

/**
 * Constants of a problem at one λ, on a convex set that holds the follower's weights, those on its way included, and the
 * inner solution. Norms are Euclidean, of matrices spectral. L depends on λ through `prepare` too.
 */
export interface ProblemConstants {
  /** μ: L is strongly convex in w; the smallest eigenvalue of ∇²_ww L. */
  readonly strongConvexity?: number;
  /** ℓ: the Lipschitz constant of ∇_w L in w; the largest eigenvalue of ∇²_ww L. */
  readonly smoothness?: number;
  /** ρ: the Lipschitz constant of ∇²_ww L in w; 0 when L is quadratic in w. */
  readonly hessianLipschitz?: number;
  /** M: ‖∇²_λw L‖ is at most this. */
  readonly crossNorm?: number;
  /** κ: the Lipschitz constant of ∇²_λw L in w. */
  readonly crossLipschitz?: number;
  /** L_E: the Lipschitz constant of ∇_w E in w. */
  readonly outerSmoothness?: number;
  /** D: the Lipschitz constant of ∇_λ E in w; 0 when λ and w do not meet in E. */
  readonly directLipschitz?: number;
}

/** What a report says of ‖h − ∇F(λ)‖, in exact arithmetic. */
export type ErrorBound =
  | {
      /** `bound`: at most `value`. `estimate`: a constant in it was measured on the way, where it may look too good. */
      readonly kind: "bound" | "estimate";
      readonly value: number;
      /** What it rests on, a sentence each. */
      readonly assumptions: readonly string[];
      readonly source: string;
    }
  | {
      readonly kind: "none";
      /** The end of "No error bound: …". */
      readonly why: string;
    };

/** What a rule's theory says of ‖h − ∇F(λ)‖; see {@link Rule.bound}. */
export type ErrorTheory = ErrorFormula | { readonly kind: "none"; readonly why: string };

/** A bound as a formula of constants and measurements. */
export interface ErrorFormula {
  readonly kind: "bound";
  /** ‖h − ∇F‖ ≤ …, and what its letters mean beyond those of {@link ProblemConstants}; lines of text. */
  readonly formula: string;
  readonly needs: readonly (keyof ProblemConstants)[];
  readonly assumptions: readonly string[];
  readonly source: string;
  /** Whether it holds when a problem's `init` makes the first weights of λ. */
  readonly allowsInit: boolean;
  /** The right-hand side. */
  value(constants: Required<ProblemConstants>, measured: MeasuredNumbers): number;
  /** What in the measurements speaks against the constants, or makes the formula void; the end of "No error bound: …". */
  contradiction?(
    constants: Required<ProblemConstants>,
    measured: MeasuredNumbers,
  ): string | undefined;
  /** Stand-ins for constants that are not given, measured where the run went; undefined for what it did not meet. */
  local?(
    measured: MeasuredNumbers,
  ): Partial<Record<keyof ProblemConstants, LocalConstant | undefined>>;
}

/** A constant as a run met it. */
export interface LocalConstant {
  readonly value: number;
  /** How it was found; the end of "strongConvexity, 0.5, is …". */
  readonly how: string;
}

/** A report's measurements by name. */
export type MeasuredNumbers = Readonly<Record<string, number>>;

/** What is known beside the measurements. */
export interface BoundContext {
  readonly constants?: ProblemConstants | undefined;
  /** Whether each inner step saw a minibatch of its own. */
  readonly batched?: boolean | undefined;
  /** Whether the data are a draw from more. */
  readonly sampled?: boolean | undefined;
  /** Whether the problem makes the first weights of λ. */
  readonly hasInit?: boolean | undefined;
}

/** Evaluates a rule's theory. */
export function evaluateBound(
  theory: ErrorTheory | undefined,
  measured: MeasuredNumbers,
  { constants: given = {}, batched = false, sampled = false, hasInit = false }: BoundContext,
): ErrorBound {
  const none = (why: string): ErrorBound => ({ kind: "none", why });
  if (theory === undefined) return none("the rule declares no theory of its error");
  if (theory.kind === "none") return none(theory.why);
  if (sampled) return none("the data are minibatches, drawn anew for each step");
  if (batched) return none("the inner steps saw different minibatches, not one inner objective");
  if (hasInit && !theory.allowsInit) {
    return none("the problem's init makes the first weights depend on the hyperparameters");
  }
  const met = theory.local?.(measured) ?? {};
  const missing = theory.needs.filter((name) => given[name] === undefined);
  const unknown = missing.filter((name) => met[name] === undefined);
  if (unknown.length > 0) {
    const more = unknown.length > 1;
    return none(
      `it rests on ${more ? "constants" : "a constant"} of the problem that the run did not measure: ${unknown.join(", ")}; give ${more ? "them" : "it"} in constants`,
    );
  }
  const local = missing.map((name) => [name, met[name]!] as const);
  const ofRun = Object.fromEntries(local.map(([name, { value }]) => [name, value]));
  const constants = withDefaults(ofRun, given) as Required<ProblemConstants>;
  if (!(constants.strongConvexity > 0)) {
    return none("the inner objective is not strongly convex");
  }
  const contradiction = theory.contradiction?.(constants, measured);
  if (contradiction !== undefined) return none(contradiction);
  const value = theory.value(constants, measured);
  if (!Number.isFinite(value)) return none("a measurement that it needs is not finite");
  return {
    kind: local.length === 0 ? "bound" : "estimate",
    value,
    assumptions: [
      ...theory.assumptions,
      ...local.map(([name, { value, how }]) => `${name}, ${value.toPrecision(3)}, is ${how}`),
    ],
    source: theory.source,
  };
}

/** A bound in one sentence. */
export function boundInWords(bound: ErrorBound): string {
  if (bound.kind === "none") return `No error bound: ${bound.why}.`;
  const value = bound.value.toExponential(2);
  return bound.kind === "bound"
    ? `Its distance from the exact hypergradient is at most ${value}, if the constants given hold.`
    : `Its distance from the exact hypergradient is estimated at ${value}, with constants as the run met them.`;
}

/**
 * Refuses values that no constants have; names are looked at with the options.
 *
 * @throws RangeError for a value that is not a finite number ≥ 0, or a strong convexity
 *   above the smoothness.
 */
export function checkConstants(where: string, constants: ProblemConstants): void {
  for (const [name, value] of Object.entries(constants)) {
    if (value !== undefined && !(Number.isFinite(value) && (value as number) >= 0)) {
      throw new RangeError(
        `${where}: ${name} must be a finite number >= 0; ${String(value)} came. Leave out what is not known.`,
      );
    }
  }
  const { strongConvexity: mu, smoothness } = constants;
  if (mu !== undefined && smoothness !== undefined && mu > smoothness) {
    throw new RangeError(
      `${where}: strongConvexity must be at most smoothness, ${smoothness}; ${mu} came.`,
    );
  }
}
