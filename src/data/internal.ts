/** What other folders of the house take from this one besides its index; not part of the package's interface. */
export { countOf } from "./images/image-set.ts";
export {
  formatCount,
  formatEstimate,
  formatNumber,
  formatPercent,
  formatSeconds,
} from "./readable-numbers.ts";
export { matchLevels } from "./tables/align-table.ts";
export { countCopies } from "./tables/count-copies.ts";
export { encodedNames } from "./tables/encoder.ts";
export { type ColumnFinding, inspectColumns } from "./tables/inspect-columns.ts";
export { parseNumber } from "./tables/numbers.ts";
export { openTable, type TableFile } from "./tables/reading/read-table.ts";
export { closestNames, listNames, quote } from "./words.ts";
