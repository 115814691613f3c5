/** Why a function cannot be traced, in words: what jax-js and JavaScript say, what it means here, and what to do. */
import { describeValue } from "../check-options.ts";
import { Tensor } from "../tensors/tensor.ts";

/** What came in the place of an array, with a remedy. */
export function meantBy(value: unknown): string {
  if (value === undefined) return "undefined; end the function with return and an array";
  if (value instanceof Tensor) return `a Tensor, which only the host computes with; ${CAPTURED}`;
  if (value instanceof Promise) return "a promise; write a function that is not async";
  if (typeof value === "function") return "a function; call it";
  return `${describeValue(value)}; return a jax-js array`;
}

const CAPTURED =
  "take it from the function's arguments (data among them), or make a jax-js array, np.array(…)";

/** What jax-js or JavaScript says, what it means here, and what to do. */
const translations: readonly [RegExp, (found: RegExpExecArray) => string][] = [
  [
    /^Invalid type for full: (\w+\[[\d, ]*\])$/,
    ([, spec]) => `it computes with a Tensor, ${spec}, which is an array of the host; ${CAPTURED}`,
  ],
  [
    /^Invalid type for full: undefined$/,
    () =>
      "it computes with undefined; look for a misspelt name of the weights, the hyperparameters or the data",
  ],
  [
    /^Invalid type for full: (.+)$/,
    ([, what]) => `it computes with ${what}, which is neither an array nor a number`,
  ],
  [
    /^numpy\.full\(\) with array argument/,
    () => "it takes a list of arrays for an array; take one of them, or join them with np.stack",
  ],
  [
    /^Cannot (?:read|set) properties of (undefined|null) \((.+)\)$/,
    ([, what, how]) =>
      `something that it takes apart is ${what} (${how}); look for a misspelt name of the weights, the hyperparameters or the data`,
  ],
  [
    /^Backward pass not implemented for cast/,
    () =>
      "floating-point types meet, and jax-js does not differentiate the cast between them; give the weights, the hyperparameters and the data one type, by tensor(…, { dtype }), and use no astype between them",
  ],
];

const remedies: readonly [RegExp, string][] = [
  [/scalar output/, "an objective must end in a scalar: add np.mean(...) or np.sum(...)"],
  [
    /only supports floating-point/,
    "derivatives need floating-point arguments: store integers in the data, or cast them to float32",
  ],
  [/broadcast|shape|Reshape|dot|conv|axis|axes/i, "check the shapes of the arguments"],
  [
    /Tensor|not.*(tracer|array)|is not a function/i,
    "use jax-js arrays (np.array) inside the function",
  ],
];

/**
 * What was thrown while a function was traced, in one sentence.
 *
 * @param args - trees of what tells its shape and type as text.
 */
export function explain(error: unknown, label: string, args: readonly unknown[]): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
  const listed = args.map((arg, i) => `argument ${i + 1}: ${describe(arg)}`).join("; ");
  for (const [pattern, say] of translations) {
    const found = pattern.exec(message);
    if (found) return `${label}: ${say(found)} (${listed}).`;
  }
  const remedy = remedies.find(([pattern]) => pattern.test(message))?.[1];
  return `${label}: ${message} (${listed}).${remedy ? ` Try: ${remedy}.` : ""}`;
}

/** A tree of specs as text, shortened: `{ w: float32[3], b: float32[] }`. */
export function describe(value: unknown): string {
  const text = Array.isArray(value)
    ? `[${value.map(describe).join(", ")}]`
    : isRecord(value)
      ? `{ ${Object.entries(value)
          .map(([key, item]) => `${key}: ${describe(item)}`)
          .join(", ")} }`
      : String(value);
  return text.length > 300 ? `${text.slice(0, 297)}...` : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && value.constructor === Object;
}
