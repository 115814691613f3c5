/** What several functions take among their options: parts of a solution by their members, and options within options. */
import {
  hasMembers,
  type NestedOptions,
  type OptionKind,
  type Part,
  required,
} from "../program/internal.ts";

type Kinds<K extends string> = Readonly<Record<K, OptionKind>>;

/** How the follower moves. */
export const DYNAMICS: Part = {
  wanted:
    "dynamics or an optimizer, such as gradientDescent({ learningRate: 0.1 }) or contraction({ … })",
  fits: (value) =>
    hasMembers(value, { name: "string", init: "function", step: "function" }) || isOptimizer(value),
};

/** How λ moves. */
export const OPTIMIZER: Part = {
  wanted: "an optimizer, such as adam({ learningRate: 0.1 })",
  fits: isOptimizer,
};

/** How the hypergradient is estimated. */
export const RULE: Part = {
  wanted: "a rule, such as reverse({ steps, dynamics })",
  fits: (value) =>
    hasMembers(value, { name: "string", init: "function", estimate: "function", needs: "object" }),
};

/** What confines the weights, or λ. Runs are told apart by its label. */
export const PROJECTION: Part = {
  wanted:
    'a projection, such as box({ lower: 0 }), or Object.assign(yourFunction, { label: "its name" })',
  fits: (value) => typeof value === "function" && typeof (value as never)["label"] === "string",
};

/** What ends a loop from outside. */
export const SIGNAL: Part = {
  wanted: "an AbortSignal, such as the signal of an AbortController",
  fits: (value) => hasMembers(value, { aborted: "boolean", addEventListener: "function" }),
};

/** When the report calls the inner problem solved. */
export const TOLERANCE: NestedOptions = {
  options: { relative: "nonNegative", absolute: "nonNegative" },
};

/** The data of both levels; what they hold is looked at where it becomes arrays. */
export const DATA: NestedOptions = { options: { inner: "any!", outer: "any!" } };

/** Where checkpoints go. */
export const CHECKPOINT: NestedOptions = {
  options: { path: "string", save: "function", everySteps: "number" },
};

/** When an outer loop stops for want of improvement. */
export const EARLY_STOPPING: NestedOptions = {
  options: { patience: "number!", minImprovement: "number" },
};

/** What an outer loop may spend. */
export const BUDGET: NestedOptions = {
  options: { steps: "number", seconds: "number", innerGradients: "number" },
};

/** Constants of a problem. */
export const CONSTANTS: NestedOptions = {
  options: {
    strongConvexity: "number",
    smoothness: "number",
    hessianLipschitz: "number",
    crossNorm: "number",
    crossLipschitz: "number",
    outerSmoothness: "number",
    directLipschitz: "number",
  },
};

function isOptimizer(value: unknown): boolean {
  return hasMembers(value, { name: "string", init: "function", update: "function" });
}

/** Where a program runs, and how it is written. */
export const PLACEMENT = {
  device: "string",
  threads: "number",
  flushDenormals: "boolean",
  optimize: "boolean",
  blockedKernels: "boolean",
} as const;

/** What a hypergradient is estimated from, and where. */
export const EVALUATION: Kinds<"lambda" | "w" | "data" | "batched" | keyof typeof PLACEMENT> = {
  lambda: "any!",
  w: "any",
  data: required(DATA),
  batched: "boolean",
  ...PLACEMENT,
};

/** What every outer loop takes besides where it starts and what it moves by. */
export const OUTER_LOOP: Kinds<
  | "constants"
  | "constraints"
  | "budget"
  | "tolerance"
  | "earlyStopping"
  | "divergence"
  | "innerValue"
  | "seed"
  | "signal"
  | keyof typeof PLACEMENT
> = {
  constants: CONSTANTS,
  constraints: PROJECTION,
  budget: BUDGET,
  tolerance: "number",
  earlyStopping: EARLY_STOPPING,
  divergence: "number",
  innerValue: "boolean",
  seed: "number",
  signal: SIGNAL,
  ...PLACEMENT,
};
