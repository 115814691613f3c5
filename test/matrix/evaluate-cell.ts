/** The one body of all cells: evaluates a rule on a problem and holds the answer against what the cell says. */
import { expect } from "vitest";
import {
  box,
  gradientDescent,
  hypergradient,
  solve,
  type Projection,
  type Report,
  type Rule,
} from "../../src/bilevel/index.ts";
import { flat, still } from "../bilevel/evaluate.ts";
import type { Cell, Descent, Row } from "./cells.ts";
import type { Column } from "./column.ts";
import type { Answer } from "./theory.ts";

/** Evaluates the cell of a row in a column, and throws unless it is as the cell says. */
export async function checkCell(row: Row, column: Column): Promise<void> {
  const cell = row.cells[column.name];
  switch (cell.kind) {
    case "agrees": {
      const { exact } = (row.factory === "implicitKkt" && column.bounded) || column;
      return expectAnswer(await answerOf(row, column), exact, cell.tolerance);
    }
    case "biased":
    case "misses": {
      const theory = await row.theory(column);
      expectAnswer(await answerOf(row, column), theory, cell.tolerance);
      expect(distance(theory, column.exact), "the theory's distance from what is exact").toBeGreaterThan(10 * cell.tolerance); // prettier-ignore
      return;
    }
    case "flags": {
      const { report } = await answerOf(row, column);
      return expect(report.status, report.sentence).toBe(cell.status);
    }
    case "refuses":
      return expect((async () => answerOf(row, column))()).rejects.toThrow(cell.message);
    case "arrives":
    case "strays": {
      const end = await descend(column, cell.leads.rule?.() ?? row.make(column), cell.leads);
      const goal = cell.leads.of === "w" ? column.exact.w : column.optimum!;
      const isAtGoal = largest(end, goal) <= cell.leads.tolerance;
      expect(largest(end, cell.leads.to), `ends at ${end.join(", ")}`).toBeLessThanOrEqual(
        cell.leads.tolerance,
      );
      return expect(isAtGoal).toBe(cell.kind === "arrives");
    }
    case "unclaimed":
      return expectReason(cell, row, column);
  }
}

/** What a rule answers on a column: one evaluation, or the last of many outer steps in which λ stands still. */
export async function answerOf(row: Row, column: Column): Promise<Answer & { report: Report }> {
  const { problem, lambda, data } = column;
  const rule = row.make(column);
  const point = { rule, lambda, data, ...(problem.init ? {} : { w: column.w }) };
  const steps = row.still?.(column) ?? 0;
  if (steps === 0) {
    const { gradient, w, report } = await hypergradient(problem, point);
    return { gradient: flat(gradient), w: flat(w), report };
  }
  const run = solve(problem, { ...point, optimizer: still, budget: { steps }, innerValue: false });
  let last: { gradient: number[]; report: Report } | undefined;
  for await (const { gradient, report } of run) last = { gradient: flat(gradient), report };
  return { ...last!, w: flat((await run).w) };
}

async function descend(column: Column, rule: Rule, leads: Descent): Promise<number[]> {
  const { problem, lambda, w, data } = column;
  const constraints: { constraints?: Projection } =
    column.name === "P8" ? { constraints: box({ lower: 1, upper: 10 }) } : {};
  const result = await solve(problem, {
    rule,
    lambda,
    w,
    data,
    ...constraints,
    start: leads.start ?? "warm",
    optimizer: gradientDescent({ learningRate: leads.rate }),
    budget: { steps: leads.steps },
    innerValue: false,
  });
  return flat(leads.of === "w" ? result.w : result.lambda);
}

function expectReason(
  { because, why }: Extract<Cell, { kind: "unclaimed" }>,
  row: Row,
  column: Column,
): void {
  if (because === "design") return expect(why).not.toBe("");
  if (because === "projection") {
    return expect(column.projection !== undefined || column.constraints !== undefined).toBe(true);
  }
  expect(column.lacks).toContain(because);
  const { strongConvexity, uniqueInnerSolution } = row.make(column).needs;
  if (because === "strong convexity") expect(strongConvexity).toBe(true);
  if (because === "a unique inner solution") expect(uniqueInnerSolution).toBe(true);
}

function expectAnswer(
  found: Answer & { report: Report },
  expected: Answer,
  tolerance: number,
): void {
  // What is right must not be flagged, and what is flagged need not be listed as wrong.
  expect(found.report.status, found.report.sentence).not.toBe("singular");
  const words = `found ${found.gradient.join(", ")} at ${found.w.join(", ")}; expected ${expected.gradient.join(", ")} at ${expected.w.join(", ")}`;
  expect(distance(found, expected), words).toBeLessThanOrEqual(tolerance);
}

/** The larger of the gradients' and the answers' distances, relative above size 1. */
export function distance(a: Answer, b: Answer): number {
  return Math.max(largest(a.gradient, b.gradient), largest(a.w, b.w));
}

function largest(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  const size = Math.max(1, ...b.map(Math.abs));
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / size;
}
