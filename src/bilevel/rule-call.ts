/**
 * A rule with the options for a situation, as one thing: the factory, what it is called with, and the text that a person
 * would type. The text is made of the very options that the rule is made of, so that equal texts are equal rules; nobody
 * has to read a factory's name out of a sentence.
 */
import type { Dynamics } from "./dynamics.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import type { Projection } from "./projections.ts";
import type { Rule } from "./rule.ts";

/** A value together with the text that makes it. */
export interface Expression<T> {
  readonly text: string;
  make(): T;
}

/** Options in which an expression may stand for each value. */
export type Written<O> = { readonly [K in keyof O]: O[K] | Expression<O[K]> };

/** What a rule takes from the problem; the text leaves it out, for the reader has it. */
export interface Given {
  readonly dynamics?: Dynamics | Optimizer | undefined;
  /** Applied to the weights after every step. */
  readonly projection?: Projection | undefined;
}

/** A factory's options, of which what may be given can be left out. */
export type OptionsOf<O> = Written<
  Omit<O, keyof Given> & Partial<Pick<O, Extract<keyof Given, keyof O>>>
>;

/** A call of a rule's factory. */
export interface RuleCall {
  /** The exported function's name. */
  readonly factory: string;
  /** As one would write it, without what is given: `reverse({ steps: 100, checkpoints: "sqrt" })`. */
  readonly text: string;
  /** The rule; what the factory refuses, it throws here. */
  make(given?: Given): Rule;
}

/**
 * A call of a rule's factory.
 *
 * @param factory - the function under its own name, `{ reverse }`.
 * @param options - what the text shows; `undefined` is left out.
 * @throws TypeError for an option that has no text, such as a function.
 */
export function ruleCall<O>(
  factory: Readonly<Record<string, (options: O) => Rule>>,
  options: OptionsOf<NonNullable<O>>,
): RuleCall {
  const [name, make] = Object.entries(factory)[0]!;
  return {
    factory: name,
    text: textOf(name, options),
    make: ({ dynamics, projection } = {}) =>
      make({
        ...(valueOf(options) as object),
        ...(dynamics && { dynamics }),
        ...(projection && { projection }),
      } as O),
  };
}

/** A call of another factory, inside a rule's options: `call({ powerLaw }, { initial: 0.1, power: quotient(-1, 2) })`. */
export function call<O, T>(
  factory: Readonly<Record<string, (options: O) => T>>,
  options: Written<O>,
): Expression<T> {
  const [name, make] = Object.entries(factory)[0]!;
  return { text: textOf(name, options), make: () => make(valueOf(options) as O) };
}

/** above / below, written as a fraction. */
export function quotient(above: number, below: number): Expression<number> {
  return { text: `${above} / ${below}`, make: () => above / below };
}

function textOf(name: string, options: object): string {
  return `${name}(${Object.keys(options).length === 0 ? "" : written(name, options)})`;
}

/** The expression that makes a value. */
function written(where: string, value: unknown): string {
  if (isExpression(value)) return value.text;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "boolean") return String(value);
  if (isPlain(value)) {
    const pairs = Object.entries(value).flatMap(([key, part]) =>
      part === undefined ? [] : [`${key}: ${written(`${where}: ${key}`, part)}`],
    );
    return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
  }
  throw new TypeError(
    `${where} has no text: a number, a string, a boolean, an object of them or an expression is required.`,
  );
}

/** The value, with everything in it that is written as an expression made. */
function valueOf(value: unknown): unknown {
  if (isExpression(value)) return value.make();
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, valueOf(part)]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function isExpression(value: unknown): value is Expression<unknown> {
  return isPlain(value) && typeof value["text"] === "string" && typeof value["make"] === "function";
}
