// The cheat-sheet in terminals of several widths.

import { expect, test } from "vitest";
import { ruleCatalog, ruleFamilies } from "../../bilevel/rules/catalog.ts";
import { displayWidth } from "../terminal/text.ts";
import { describeRules, ruleRows } from "./command.ts";

const rows = ruleRows();

test("there is a row for each form of each rule", () => {
  expect(rows.length).toBe(ruleCatalog.flatMap(({ forms }) => forms).length);
  const reverse = rows.find(({ rule, option }) => rule === "reverse" && option === "");
  expect(reverse).toMatchObject({
    family: "explicit",
    needs: "second derivatives",
    work: "T ∇L, T H·v, T C·v",
    memory: "O(T·|w|)",
    bias: null,
  });
  expect(reverse?.bound).toMatch(
    /^‖h − ∇F‖ ≤ .*; δ = .*; if the inner objective is strongly convex/,
  );
  expect(rows.find(({ rule }) => rule === "soba")?.bound).toMatch(/^none; it is one direction/);
  const truncated = rows.find(({ rule }) => rule === "truncated");
  expect(truncated?.bias).toContain("leaves out");
});

test("without a terminal each family has a table, a line a row, its columns aligned", () => {
  const lines = describeRules(rows, Infinity);
  for (const family of Object.keys(ruleFamilies)) {
    const start = lines.indexOf(family.toUpperCase());
    expect(start).toBeGreaterThanOrEqual(0);
    const head = lines.findIndex((line, i) => i > start && /^rule +needs +work /.test(line));
    const members = rows.filter((row) => row.family === family);
    for (const [i, { rule, option, needs, work }] of members.entries()) {
      const line = lines[head + 2 + i]!;
      expect(line.startsWith(`${rule} ${option}`.trim())).toBe(true);
      expect(line.slice(lines[head]!.indexOf("needs")).startsWith(needs)).toBe(true);
      expect(line.slice(lines[head]!.indexOf("work")).startsWith(work)).toBe(true);
    }
  }
});

test("a wide terminal gets the tables too, with long cells on several lines", () => {
  const lines = describeRules(rows, 160);
  const families = Object.keys(ruleFamilies);
  expect(lines.filter((line) => /^rule +needs +work /.test(line)).length).toBe(families.length);
  expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(160);
  const second = lines.findIndex((line) => line.startsWith("conjugateGradientNormal,"));
  expect(lines[second - 1]).toMatch(/^implicit solver: .*\(2·J \+ 1\) H·v/);
  expect(lines[second]).toMatch(/ {2,}solution/);
});

test.each([40, 80])("a terminal of %d columns gets a list that fits", (width) => {
  const lines = describeRules(rows, width);
  expect(lines).toContain("  needs       second derivatives");
  const longestWord = Math.max(
    ...rows.flatMap(({ option, bound, fails, source, work }) =>
      `${option} ${bound} ${fails} ${source} ${work}`.split(" ").map(displayWidth),
    ),
  );
  // A word that is longer than a line stands alone, fourteen columns in.
  expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(
    Math.max(width, longestWord + 14),
  );
  expect(lines.filter((line) => line.startsWith("  fails ")).length).toBe(ruleCatalog.length);
});

test("where a rule fails, its bounds and where it comes from are there at every width", () => {
  const plain = (width: number): string =>
    describeRules(rows, width).join(" ").replace(/\s+/g, " ");
  for (const width of [60, 120, Infinity]) {
    const text = plain(width);
    for (const { rule, summary, bound, fails, source } of rows) {
      expect(text).toContain(`${rule}: ${summary} fails when ${fails} bound `);
      expect(text).toContain(`${bound} `);
      expect(text).toContain(` source ${source}`);
    }
  }
});
