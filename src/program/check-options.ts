/** Options objects, looked at once where they are taken: names that do not exist, options that are missing or of another kind. */

/** What an option must be; with "!" it must be given. "any" is looked at by whoever takes it. */
export type OptionKind = Kind | `${Kind}!`;

type Kind = "number" | "boolean" | "string" | "function" | "object" | "any";

/** A kind for each option of `T`, so that none is forgotten. */
export type OptionKinds<T> = { readonly [K in keyof T]-?: OptionKind };

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
  const names = Object.keys(kinds);
  const given: unknown = options;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const example = names.find((name) => kindOf(name).endsWith("!")) ?? names[0];
    throw new TypeError(
      `${where}: options must be an object such as { ${example}: … }, ${describeValue(given)} came.`,
    );
  }
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    throw new TypeError(
      `${where}: there is no option "${name}"; ${near ? `did you mean ${near}?` : `its options are ${names.join(", ")}.`}`,
    );
  }
  for (const name of names) {
    const value = (given as Record<string, unknown>)[name];
    const kind = kindOf(name);
    const wanted = kind.replace("!", "");
    if (value === undefined) {
      if (!kind.endsWith("!")) continue;
      throw new TypeError(`${where}: ${name} is missing; give ${article(wanted)}.`);
    }
    const fits = wanted === "any" ? value !== null : typeof value === wanted && value !== null;
    if (!fits) {
      throw new TypeError(
        `${where}: ${name} must be ${article(wanted)}, ${describeValue(value)} came.`,
      );
    }
  }

  function kindOf(name: string): string {
    return kinds[name as keyof T];
  }
}

/** A value in a few words, for messages. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

function article(kind: string): string {
  if (kind === "any") return "a value";
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
