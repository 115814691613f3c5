/** Names and counts in the sentences of this folder. */

/** At most three names within an edit distance of 40 % of what was asked, the closest first. */
export function closestNames(wanted: string, names: readonly string[]): string[] {
  const reach = Math.max(1, Math.floor(wanted.length * 0.4));
  return names
    .map((name) => ({ name, distance: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= reach)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Names in quotes, separated by commas; at most `limit` of them, then how many more there are. */
export function listNames(names: readonly string[], limit: number = 8): string {
  const shown = names.slice(0, limit).map(quote).join(", ");
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}

/** A cell or a name for a message: in quotes, cut to 40 characters, line breaks visible. */
export function quote(text: string): string {
  const cut = text.length > 40 ? `${text.slice(0, 39)}…` : text;
  return `"${cut.replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}

/** `1 row`, `2 rows`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Levenshtein distance with transpositions of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1);
      }
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
