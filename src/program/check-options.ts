/** Options objects, looked at once where they are taken: names that do not exist, options that are missing or of another kind. */

/**
 * What an option must be; with "!" it must be given. "any" is looked at by whoever takes it, "nonNegative" is a number ≥ 0. A
 * {@link Part} is something that a function of the library makes, {@link NestedOptions} an options object of its own.
 */
export type OptionKind = Kind | `${Kind}!` | Part | NestedOptions;

type Kind = "number" | "nonNegative" | "boolean" | "string" | "function" | "object" | "any";

/** A value that is known by its members, such as an optimizer. */
export interface Part {
  readonly isRequired?: boolean;
  /** With its article and an example: "an optimizer, such as adam({ learningRate: 0.1 })". */
  readonly wanted: string;
  fits(value: unknown): boolean;
}

/** An options object within the options, looked at in the same way. */
export interface NestedOptions {
  readonly isRequired?: boolean;
  readonly options: Readonly<Record<string, OptionKind>>;
}

/** The same kind, but it must be given. */
export function required<T extends Part | NestedOptions>(kind: T): T {
  return { ...kind, isRequired: true };
}

/** Whether a value is an object with the members of the given types. */
export function hasMembers(value: unknown, members: Readonly<Record<string, string>>): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.entries(members).every(([name, type]) => typeof (value as never)[name] === type)
  );
}

/** A kind for each option of `T`, so that none is forgotten. */
export type OptionKinds<T> = { readonly [K in keyof T]-?: OptionKind };

/** The options, with defaults for those that are absent or undefined. */
export function withDefaults<D extends object, T extends object>(
  defaults: D,
  options: T,
): Omit<T, keyof D> & { [K in keyof D]: D[K] | (K extends keyof T ? NonNullable<T[K]> : never) } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) } as never;
}

/** @throws RangeError unless `value` is a whole number ≥ 1. */
export function checkCount(where: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${where} must be a whole number >= 1; ${String(value)} came.`);
  }
}

/**
 * Refuses an options object with a name that does not exist, suggesting the nearest, without what is required, or with an
 * option of the wrong kind.
 *
 * @param where - the function that takes them.
 * @throws TypeError with one sentence.
 */
export function checkOptions<T extends object>(
  where: string,
  options: T,
  kinds: OptionKinds<T>,
): void {
  const given: unknown = options;
  if (!isRecord(given)) {
    const names = Object.keys(kinds) as (keyof T)[];
    const example = names.find((name) => isRequired(kinds[name])) ?? names[0];
    throw new TypeError(
      `${where}: options must be an object such as { ${String(example)}: … }, ${describeValue(given)} came.`,
    );
  }
  checkNames(where, "", given, kinds);
}

/** @param path - what the names stand in, such as "budget.". */
function checkNames(
  where: string,
  path: string,
  given: Readonly<Record<string, unknown>>,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  const names = Object.keys(kinds);
  for (const name of Object.keys(given)) {
    if (names.includes(name) || given[name] === undefined) continue;
    const near = nearest(name, names);
    const known = names.map((other) => path + other).join(", ");
    throw new TypeError(
      `${where}: there is no option "${path}${name}"; ${near ? `did you mean ${path}${near}?` : `its options are ${known}.`}`,
    );
  }
  for (const name of names) checkOption(where, path + name, given[name], kinds[name]!);
}

function checkOption(where: string, name: string, value: unknown, kind: OptionKind): void {
  if (value === undefined) {
    if (!isRequired(kind)) return;
    throw new TypeError(`${where}: ${name} is missing; give ${wantedOf(kind)}.`);
  }
  if (typeof kind === "object" && "options" in kind) {
    if (isRecord(value)) return checkNames(where, `${name}.`, value, kind.options);
  } else if (fits(value, kind)) {
    return;
  }
  throw new TypeError(`${where}: ${name} must be ${wantedOf(kind)}, ${describeValue(value)} came.`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRequired(kind: OptionKind): boolean {
  return typeof kind === "string" ? kind.endsWith("!") : kind.isRequired === true;
}

function fits(value: unknown, kind: Exclude<OptionKind, NestedOptions>): boolean {
  if (typeof kind === "object") return kind.fits(value);
  const wanted = kind.replace("!", "");
  if (wanted === "any") return value !== null;
  if (wanted === "nonNegative") return typeof value === "number" && value >= 0;
  return typeof value === wanted && value !== null;
}

/** What is wanted in words, with its article. */
function wantedOf(kind: OptionKind): string {
  if (typeof kind === "string") return article(kind.replace("!", ""));
  return "wanted" in kind
    ? kind.wanted
    : `an object such as { ${Object.keys(kind.options).join(", ")} }`;
}

/** A value in a few words, for messages. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "bigint" ? `${value}n` : String(value);
}

function article(kind: string): string {
  if (kind === "any") return "a value";
  if (kind === "nonNegative") return "a number >= 0";
  return kind === "object" ? "an object" : `a ${kind}`;
}

/** The name that one or two changed letters, or a change of case, lead to. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const [best] = names
    .map((other) => ({ other, distance: editDistance(plain(name), plain(other)) }))
    .filter(({ other, distance }) => distance <= Math.max(1, Math.min(3, other.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return best?.other;
}

/** Levenshtein's distance: letters to insert, leave out or replace. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}

/**
 * Refuses an argument of another kind.
 *
 * @throws TypeError with one sentence.
 */
export function checkArgument(
  where: string,
  name: string,
  value: unknown,
  kind: "function" | "object" | "list" | "bytes" | "text",
): void {
  const fits = {
    function: () => typeof value === "function",
    object: () => typeof value === "object" && value !== null && !Array.isArray(value),
    list: () => Array.isArray(value),
    bytes: () => value instanceof Uint8Array,
    text: () => typeof value === "string",
  };
  if (fits[kind]()) return;
  const wanted = { bytes: "a Uint8Array", text: "a string" } as Record<string, string>;
  throw new TypeError(
    `${where}: ${name} must be ${wanted[kind] ?? article(kind)}, ${describeValue(value)} came.`,
  );
}
