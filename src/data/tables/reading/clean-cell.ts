/** Blanks and invisible characters at the ends of a cell, and characters without a width anywhere in it, are no part of it. */

/** Zero-width space, byte order mark, word joiner, soft hyphen. */
const zeroWidth = /[\u200b\ufeff\u2060\u00ad]/g;
const invisibleEnds =
  /^[\s\u200c-\u200f\u202a-\u202e\u2066-\u2069]+|[\s\u200c-\u200f\u202a-\u202e\u2066-\u2069]+$/g;

/** The cell without them; \s covers the unbreakable and the other blanks of Unicode. */
export function cleanCell(cell: string): string {
  if (cell === "" || isAscii(cell)) return hasBlankEnd(cell) ? cell.trim() : cell;
  return cell.replaceAll(zeroWidth, "").replaceAll(invisibleEnds, "");
}

function hasBlankEnd(cell: string): boolean {
  return cell.charCodeAt(0) <= 32 || cell.charCodeAt(cell.length - 1) <= 32;
}

function isAscii(cell: string): boolean {
  for (let i = 0; i < cell.length; i++) if (cell.charCodeAt(i) > 0x7f) return false;
  return true;
}
