/**
 * Every form of every rule on random problems with leaves that do not depend on λ in every position, through `prepare` and
 * from an `init` too: what the rule's own theory gives. The printed seed and `STACKELBERG_RUNS` make runs of one's own.
 */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { disposePrograms, type Problem } from "../../src/bilevel/index.ts";
import { answerOf, distance } from "./evaluate-cell.ts";
import type { Row } from "./cells.ts";
import { leavesColumn, type LeafKind, type LeavesOptions } from "./problems-leaves.ts";
import { rows } from "./rules.ts";

const numRuns = Number(process.env.STACKELBERG_RUNS ?? 1);

const leaf: fc.Arbitrary<LeafKind> = fc.record({
  shape: fc.constantFrom([], [1], [2], [1, 2]),
  dependsOnLeader: fc.boolean(),
  isSeenOutside: fc.boolean(),
});

/** Leaves of both kinds, any of them first. */
const drawn: fc.Arbitrary<LeavesOptions> = fc.record({
  leaves: fc
    .tuple(fc.array(leaf, { minLength: 1, maxLength: 3 }), leaf, fc.nat(3), fc.nat(3))
    .map(([others, one, at, behind]) => {
      const both = others.toSpliced(at, 0, { ...one, dependsOnLeader: true });
      return both.toSpliced(behind, 0, { ...one, dependsOnLeader: false, isSeenOutside: true });
    }),
  seed: fc.nat(1000),
  turn: fc.nat(11),
  isPrepared: fc.boolean(),
});

const disposed: Problem[] = [];
afterAll(async () => {
  for (const problem of disposed) await disposePrograms(problem);
});

async function expectTheory(row: Row, options: LeavesOptions): Promise<void> {
  const column = leavesColumn(options);
  disposed.push(column.problem);
  const theory = await row.theory(column);
  const found = await answerOf(row, column);
  const { status, sentence } = found.report;
  expect(["singular", "non-finite", "diverged"], sentence).not.toContain(status);
  const words = `found ${found.gradient.join(", ")} at ${found.w.join(", ")}; theory ${theory.gradient.join(", ")} at ${theory.w.join(", ")}`;
  // Barrier and differences as in the matrix; multipliers converge linearly; elsewhere what the steps leave.
  const cell = row.cells.leaves;
  const tolerance = "tolerance" in cell ? cell.tolerance : 0;
  const least = row.option === "penalty: ρ" ? 1e-5 : 1e-8;
  expect(distance(found, theory), words).toBeLessThanOrEqual(Math.max(tolerance, least));
}

const labelOf = ({ factory, option }: Row): string => `${factory} ${option}`.trim();

describe("random trees with independent leaves", () => {
  const withoutInit = rows.filter(({ cells }) => cells.leaves.kind !== "refuses");
  test.each(withoutInit.map((row, i) => ({ row, label: labelOf(row), seed: 20_260 + i })))(
    "$label, seed $seed",
    async ({ row, seed }) => {
      await fc.assert(
        fc.asyncProperty(drawn, (options) => expectTheory(row, options)),
        { numRuns, seed },
      );
    },
  );
});

describe("from an init whose leaves do not all depend on λ", () => {
  const withInit = rows.filter(
    ({ factory, option, cells }) =>
      cells.init.kind !== "refuses" && factory !== "implicit" && !option.startsWith("checkpoints"),
  );
  test.each(withInit.map((row, i) => ({ row, label: labelOf(row), seed: 20_360 + i })))(
    "$label, seed $seed",
    async ({ row, seed }) => {
      await fc.assert(
        fc.asyncProperty(drawn, (options) => expectTheory(row, { ...options, hasInit: true })),
        { numRuns, seed },
      );
    },
  );
});
