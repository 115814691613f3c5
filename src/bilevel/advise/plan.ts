/**
 * The memory planner: which rules fit in a budget of bytes, and what each of them costs, before anything is built. The
 * counts are those that the rules declare themselves.
 */
import { checkCount, checkOptions, withDefaults } from "../../program/internal.ts";
import { count, planDrafts, type Draft, type Sizes } from "./plan-drafts.ts";
import type { Cost } from "../rule.ts";
import type { MemoryPlan, Plan, PlanKind, PlanOptions } from "./types.ts";

/**
 * Chooses among reverse mode (whole, with √T checkpoints, with as many binomial slots as fit), forward mode, the implicit
 * rule with conjugate gradients, and, when asked for or when no exact rule fits, truncated reverse mode with as many
 * steps as fit.
 *
 * With s numbers in the state, T steps, m hyperparameters and J iterations of the solver they keep
 *
 *     reverse  T·s     "sqrt"  (⌈T/n⌉ + n)·s, n = ⌈√T⌉     slots  c·s     forward  m·(s + prepared)
 *     implicit  s + 3·|w|     truncated  K·s
 *
 * numbers, and the slots a table of c + 4(T − 1) integers of 4 bytes. Nothing that exceeds the budget is ranked.
 *
 * @throws RangeError when a size is not a whole number ≥ 1 or the budget is not a number > 0.
 * @example
 * const { ranking, sentence } = planMemory({ steps: 1000, weights: 7850, hyperparameters: 10, bytes: 4e6 });
 * const rule = ranking[0]?.rule({ dynamics: gradientDescent({ learningRate: 0.1 }) });
 */
export function planMemory(options: PlanOptions): MemoryPlan {
  checkOptions("planMemory", options, {
    steps: "number!",
    weights: "number!",
    state: "number",
    hyperparameters: "number!",
    bytes: "number!",
    bytesPerFloat: "number",
    preparedFloats: "number",
    gradientsPerStep: "number",
    solverSteps: "number",
    gradientsPerProduct: "number",
    biased: "boolean",
  });
  const sizes = checked(options);
  const all = planDrafts(sizes).map((draft) => finish(draft, sizes));
  const isExactThere = all.some(({ kind, fits }) => kind === "exact" && fits);
  const order: Record<PlanKind, number> = { exact: 0, implicit: 1, biased: 2 };
  const ranking = all
    .filter(({ fits, kind }) => fits && (kind !== "biased" || sizes.biased || !isExactThere))
    .sort((a, b) => order[a.kind] - order[b.kind] || work(a.cost, sizes) - work(b.cost, sizes));
  const tooLarge = all.filter(({ fits }) => !fits).sort((a, b) => a.bytes - b.bytes);
  return { ranking, tooLarge, sentence: recommend(ranking, tooLarge, sizes) };
}

/** Bytes as people read them: 980 B, 1.2 MB. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  let value = bytes;
  // What would round to 1000 belongs to the next unit.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

function finish({ call, tableBytes = 0, remark, ...draft }: Draft, sizes: Sizes): Plan {
  const bytes = draft.cost.storedFloats * sizes.bytesPerFloat + tableBytes;
  const fits = bytes <= sizes.bytes;
  const size = fits
    ? `fits in ${formatBytes(bytes)}`
    : `needs ${formatBytes(bytes)}, more than the ${formatBytes(sizes.bytes)} given`;
  const { innerGradients, hessianVectorProducts, crossProducts } = draft.cost;
  const costs = `${count(innerGradients, "inner gradient")} and ${count(hessianVectorProducts + crossProducts, "product")}`;
  return {
    ...draft,
    factory: call.factory,
    call: call.text,
    bytes,
    fits,
    sentence: `${size}: ${remark}; ${costs}.`,
    rule: (options) => call.make(options),
  };
}

function work(cost: Cost, { gradientsPerProduct }: Sizes): number {
  const { innerGradients, hessianVectorProducts, crossProducts } = cost;
  return innerGradients + gradientsPerProduct * (hessianVectorProducts + crossProducts);
}

function recommend(
  [best]: readonly Plan[],
  [smallest]: readonly Plan[],
  { bytes, state, bytesPerFloat }: Sizes,
): string {
  if (best !== undefined) return `${best.call} ${best.sentence}`;
  const least = `the least is ${formatBytes(smallest!.bytes)}, for ${smallest!.call}`;
  return `Nothing fits in ${formatBytes(bytes)}: ${least}; one state of the follower takes ${formatBytes(state * bytesPerFloat)}. Give more bytes, or make the model smaller.`;
}

function checked(options: PlanOptions): Sizes {
  const defaults = {
    bytesPerFloat: 4,
    state: options.weights,
    preparedFloats: 0,
    gradientsPerStep: 1,
    solverSteps: 20,
    gradientsPerProduct: 2,
    biased: false,
  };
  const sizes = withDefaults(defaults, options);
  for (const key of [
    "steps",
    "weights",
    "state",
    "hyperparameters",
    "bytesPerFloat",
    "gradientsPerStep",
    "solverSteps",
  ] as const) {
    checkCount(`planMemory: ${key}`, sizes[key]);
  }
  if (!Number.isSafeInteger(sizes.preparedFloats) || sizes.preparedFloats < 0) {
    throw new RangeError(
      `planMemory: preparedFloats must be a whole number >= 0; ${String(sizes.preparedFloats)} came.`,
    );
  }
  for (const key of ["bytes", "gradientsPerProduct"] as const) {
    if (sizes[key] > 0) continue;
    throw new RangeError(`planMemory: ${key} must be a number > 0; ${String(sizes[key])} came.`);
  }
  return sizes;
}
