/**
 * The columns of a new file by the names that a model knows. Names that differ only in case or blanks are the same
 * where that is plain; a file without names is taken by places only when it was said to have none.
 */
import { DataError } from "../../data-error.ts";
import { listNames, plural, quote } from "../../words.ts";
import type { TableLayout } from "./table-layout.ts";

/**
 * @param wanted - the model's names.
 * @param isWithout - whether the user said that there is no header.
 * @throws {@link DataError} when two columns may be the same one, or when no column has a name of the model.
 */
export function withModelNames(
  layout: TableLayout,
  wanted: readonly string[],
  source: string,
  isWithout: boolean,
): TableLayout {
  const { names } = layout;
  if (!layout.header) {
    if (isWithout && names.length === wanted.length) {
      const note = `The columns are taken in the model's order, ${listNames(wanted)}.`;
      return { ...layout, names: wanted, notes: [...layout.notes, note] };
    }
    if (!names.some((name) => wanted.includes(name))) throw withoutNames(layout, wanted, source);
    return layout;
  }
  const absent = wanted.filter((name) => !names.includes(name));
  const renamed = new Map<string, string>();
  for (const name of absent) {
    if (absent.some((other) => other !== name && keyOf(other) === keyOf(name))) continue;
    const same = names.filter((one) => keyOf(one) === keyOf(name) && !wanted.includes(one));
    if (same.length > 1) {
      throw new DataError(
        `${source}: ${listNames(same)} differ from the model's column ${quote(name)} only in case or blanks; write one of them as the model does.`,
      );
    }
    if (same.length === 1) renamed.set(same[0]!, name);
  }
  const matched = names.map((name) => renamed.get(name) ?? name);
  if (!matched.some((name) => wanted.includes(name))) throw withoutNames(layout, wanted, source);
  if (renamed.size === 0) return layout;
  const shown = [...renamed].slice(0, 5).map(([from, to]) => `${quote(from)} for ${quote(to)}`);
  const more = renamed.size > 5 ? ` and ${renamed.size - 5} more` : "";
  const note = `Names that differ from the model's only in case or blanks are taken for the same: ${shown.join(", ")}${more}.`;
  return { ...layout, names: matched, notes: [...layout.notes, note] };
}

/** Whether the first row holds names of the model, in another case or with other blanks. */
export function startsWithModelNames(layout: TableLayout, wanted: readonly string[]): boolean {
  const keys = new Set(wanted.map(keyOf));
  const first = layout.rows[0] ?? [];
  return (
    new Set(first).size === first.length &&
    first.some((cell) => cell !== "" && keys.has(keyOf(cell)) && !/^\d+$/.test(cell))
  );
}

function keyOf(name: string): string {
  return name.toLowerCase().replaceAll(/\s+/g, "");
}

function withoutNames(
  { header, names }: TableLayout,
  wanted: readonly string[],
  source: string,
): DataError {
  const needed = `${wanted.length === 1 ? "the column" : "the columns"} ${listNames(wanted)} that the model needs`;
  const places =
    names.length === wanted.length
      ? `if the first line is data, and the columns are these in this order, say so with --no-header`
      : `--no-header does not help, because the file has ${plural(names.length, "column")} and the model needs ${wanted.length}`;
  const found = header
    ? `the first line, ${listNames(names, 4)}, has none of ${needed}`
    : `there is no header with ${needed}`;
  return new DataError(`${source}: ${found}; add a line with their names, or, ${places}.`);
}
