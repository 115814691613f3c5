/** What counts as a number in a cell, and what only looks like one. */

/**
 * The cell as a finite number, or NaN: decimal notation with a point, optional sign and exponent.
 * Hexadecimal, infinities, separators and units are not numbers. The cell is trimmed and not empty.
 */
export function parseNumber(cell: string): number {
  const value = Number(cell);
  if (value !== value || value === Infinity || value === -Infinity) return NaN;
  // Number() also reads 0x1f, 0o7 and 0b1, which are codes in a CSV.
  if (cell.length > 2 && cell.charCodeAt(0) === 48 && cell.charCodeAt(1) > 57 && !/^0e/i.test(cell))
    return NaN;
  return value;
}

/** How a cell that is no number was probably meant, as words for a message, or undefined for text. */
export function almostNumber(cell: string): string | undefined {
  return almostNumbers.find(([pattern]) => pattern.test(cell))?.[1];
}

const almostNumbers: readonly (readonly [RegExp, string])[] = [
  [/^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/, "thousands separators"],
  [/^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$/, "thousands separators"],
  [/^[+-]?\d{1,3}([ '\u00a0\u2009\u202f]\d{3})+([.,]\d+)?$/, "thousands separators"],
  [/^[+-]?\d*,\d+(e[+-]?\d+)?$/i, "decimal commas"],
  [/^[+-]?(inf|infinity|\d+(\.\d*)?e\d+)$/i, "infinite values"],
];
