/** Seeded changes of JSON values: what a slip of an editor, of a script or of a disk may do to a file. */
import type { RandomStream } from "../src/data/index.ts";

type Json = unknown;

/** A copy of `value` with one change somewhere, and that change in words. */
export function mutated(value: Json, stream: RandomStream): { value: Json; change: string } {
  const copy = structuredClone(value);
  const places: { parent: Record<string, Json>; key: string; path: string }[] = [];
  const walk = (node: Json, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const keys = Object.keys(node);
    // Long lists are many times the same: a few of their items.
    for (const key of keys.length > 12 ? [...keys.slice(0, 3), keys.at(-1)!] : keys) {
      places.push({ parent: node as Record<string, Json>, key, path: `${path}.${key}` });
      walk((node as Record<string, Json>)[key], `${path}.${key}`);
    }
  };
  walk(copy, "");
  const pick = <T>(list: readonly T[]): T => list[Math.floor(stream.uniform() * list.length)]!;
  const { parent, key, path } = pick(places);
  const old = parent[key];
  const replacements: [string, () => Json][] = [
    ["removed", () => undefined],
    ["null", () => null],
    ["a text", () => "x"],
    ["empty text", () => ""],
    ["−1", () => -1],
    ["1e300", () => 1e300],
    ["a half", () => 0.5],
    ["true", () => true],
    ["[]", () => []],
    ["{}", () => ({})],
    ["a number record", () => ({ number: "abc" })],
    ["a list of itself", () => [old]],
  ];
  if (typeof old === "number") {
    replacements.push(["negated", () => -old], ["one more", () => old + 1], ["zero", () => 0]);
  }
  if (typeof old === "string") {
    replacements.push(["longer", () => `${old}x`], ["shorter", () => old.slice(0, -1)]);
    replacements.push(["another letter", () => old.replace(/[A-Za-z0-9]/, "!")]);
  }
  if (Array.isArray(old)) {
    replacements.push(["one less", () => old.slice(1)], ["one twice", () => [...old, old.at(-1)]]);
    replacements.push(["turned round", () => old.toReversed()]);
  }
  const [name, make] = pick(replacements);
  const made = make();
  if (made !== undefined) parent[key] = made;
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return { value: copy, change: `${path}: ${name}` };
}
