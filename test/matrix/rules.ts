/** The rows of the matrix, family by family, and what they say of a rule on a problem. */
import { isFailure, type Cell, type Row } from "./cells.ts";
import { explicitRows } from "./rows-explicit.ts";
import { implicitRows } from "./rows-implicit.ts";
import { singleLoopRows } from "./rows-single-loop.ts";
import { rowsWithoutUniqueSolution } from "./rows-without-unique-solution.ts";
import type { ProblemName } from "./column.ts";

/** Every row, in the catalog's order. */
export const rows: readonly Row[] = [
  ...explicitRows,
  ...implicitRows,
  ...rowsWithoutUniqueSolution,
  ...singleLoopRows,
];

const cellsOf = (factory: string, problem: ProblemName): Cell[] =>
  rows.filter((row) => row.factory === factory).map((row) => row.cells[problem]);

/** Whether some form of a rule is right on a problem: exact, off by the bias of its theory, or led to the optimum. */
export function isRightOn(factory: string, problem: ProblemName): boolean {
  return cellsOf(factory, problem).some(({ kind }) =>
    ["agrees", "biased", "arrives"].includes(kind),
  );
}

/** Whether some form of a rule misses, strays, is flagged or refuses on a problem, and no form is right there. */
export function failsOn(factory: string, problem: ProblemName): boolean {
  return cellsOf(factory, problem).some(isFailure) && !isRightOn(factory, problem);
}
