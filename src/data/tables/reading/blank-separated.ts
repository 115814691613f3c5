/** Files whose columns are separated by blanks: runs of them become one tab, which a CSV reader understands. */

/**
 * The text with a tab for each run of at least `least` blanks or tabs outside quotes, none at the ends of lines.
 * Lines stay where they are; bytes after `start`, at which the table begins, do not.
 */
export function cutBlanks(text: Uint8Array, least: number, start: number): Uint8Array {
  const result = new Uint8Array(text.length);
  result.set(text.subarray(0, start));
  let length = start;
  let isQuoted = false;
  let lineStart = start;
  for (let at = start; at < text.length; at++) {
    const byte = text[at]!;
    if (byte === 0x22) isQuoted = !isQuoted;
    const isBlank = byte === 0x20 || byte === 0x09;
    if (!isBlank || isQuoted) {
      result[length++] = byte;
      if (!isQuoted && (byte === 0x0a || byte === 0x0d)) lineStart = length;
      continue;
    }
    const first = at;
    while (text[at + 1] === 0x20 || text[at + 1] === 0x09) at++;
    const next = text[at + 1];
    const isEnd = next === undefined || next === 0x0a || next === 0x0d;
    if (length === lineStart || isEnd) continue;
    if (at - first + 1 >= least || byte === 0x09) result[length++] = 0x09;
    else for (let i = first; i <= at; i++) result[length++] = text[i]!;
  }
  return result.slice(0, length);
}
