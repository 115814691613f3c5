/**
 * Which century 24 is in. Spreadsheets take two digits as a year of 1930 to 2029. That tears a column whose years go
 * on from 29 to 30, such as years of birth, so such a column is kept together where only one century is plausible.
 */

/** The earliest year that two digits stand for, as in Excel and LibreOffice. */
export const usualFirstYear = 1930;

/** POSIX strptime reads two digits as a year of 1969 to 2068: no convention goes beyond. */
const lastYear = 2068;

/** Years that the spreadsheets' limit lies between when it divides two groups and tears none. */
const groupGap = 10;

/** The year from `firstYear` to `firstYear + 99` that ends in two digits. */
export function fullYear(digits: number, firstYear: number): number {
  return firstYear + ((((digits - firstYear) % 100) + 100) % 100);
}

/**
 * The first of the hundred years that a column's two-digit years are taken from, undefined when no century is more
 * plausible than another: when the years fill the century, or when they fit into two.
 *
 * Between the years, seen as a circle, the largest gap is where a column begins and ends. 1930 stays where that gap, or
 * one of ten years, lies between 29 and 30. Else the column begins after the largest gap, in the one century in which it
 * ends by 2068: 25 … 99 is 1925 … 1999, and 60 … 35 is 1960 … 2035.
 *
 * @param digits - 0 to 99 each, at least one.
 */
export function firstYearOf(digits: readonly number[]): number | undefined {
  // Counted from 1930, so that the circle is cut at the usual place.
  const years = [...new Set(digits.map((year) => fullYear(year, usualFirstYear)))].sort(
    (a, b) => a - b,
  );
  const usualGap = years[0]! + 100 - years.at(-1)!;
  let [largest, start] = [usualGap, years[0]!];
  for (let i = 1; i < years.length; i++) {
    const gap = years[i]! - years[i - 1]!;
    if (gap > largest) [largest, start] = [gap, years[i]!];
  }
  if (largest === 1) return undefined;
  if (start === years[0]! || usualGap >= groupGap) return usualFirstYear;
  if (largest < groupGap) return undefined;
  const span = 100 - largest;
  const century = start % 100;
  const fitting = [1900, 2000].filter((base) => base + century + span <= lastYear);
  return fitting.length === 1 ? fitting[0]! + century : undefined;
}
