/** Numbers as text, so that those beyond 2⁵³ keep all their digits. */

/**
 * The one spelling of a plain number: 1, 1.0, +1 and 1e0 give the same text, 9007199254740993 and 9007199254740992 do
 * not. Undefined for anything that is no plain number, and for codes such as 01.
 */
export function canonicalNumber(cell: string): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i.exec(cell);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  if (/^0\d/.test(whole)) return undefined;
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return "0";
  const bare = digits.replace(/0+$/, "");
  const power = Number(exponent) - fraction.length + (digits.length - bare.length);
  return `${sign === "-" ? "-" : ""}${bare}e${power}`;
}
