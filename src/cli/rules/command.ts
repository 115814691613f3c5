// `stackelberg rules`: the cheat-sheet of hypergradient rules, fitted to the terminal.

import {
  costInWords,
  needsInWords,
  ruleCatalog,
  ruleFamilies,
  type RuleFamily,
  theoryInWords,
} from "../../bilevel/internal.ts";
import { exitCodes } from "../command/errors.ts";
import { displayWidth, wrapWords } from "../terminal/text.ts";

/** One way to call a rule, as it is printed. */
export interface RuleRow {
  family: RuleFamily;
  /** The function that makes the rule, and the option that makes this form of it. */
  rule: string;
  option: string;
  summary: string;
  needs: string;
  work: string;
  memory: string;
  /** What the hypergradient leaves out; `null` when it is the exact derivative at the follower's response. */
  bias: string | null;
  /** What it leaves out besides when the follower starts warm; `null` when nothing. */
  warmBias: string | null;
  /** What theory says of its distance from the exact hypergradient, or "none; " and why. */
  bound: string;
  /** The reasons, separated by semicolons. */
  fails: string;
  source: string;
}

/** Runs the command; 0. */
export function runRules(flags: { json?: boolean }): number {
  const rows = ruleRows();
  const { stdout } = process;
  const text =
    flags.json === true
      ? JSON.stringify(rows)
      : describeRules(rows, stdout.isTTY ? stdout.columns : Infinity).join("\n");
  stdout.write(`${text}\n`);
  return exitCodes.ok;
}

/** The catalog, one row for each form of a rule. */
export function ruleRows(): RuleRow[] {
  return ruleCatalog.flatMap(({ family, factory, summary, fails, source, forms }) =>
    forms.map(({ option, rule, cost }) => {
      const { needs, bound } = rule();
      return {
        family,
        rule: factory,
        option,
        summary,
        needs: needsInWords(needs),
        work: costInWords(cost),
        memory: needs.memory,
        bias: needs.bias ?? null,
        warmBias: needs.warmBias ?? null,
        bound: theoryInWords(bound),
        fails,
        source,
      };
    }),
  );
}

/**
 * The lines for a terminal of `width` columns. Each family has a heading, its rules as a table where it fits, else as a
 * list, and then where each of them fails, how far it may be off and where it comes from.
 */
export function describeRules(rows: readonly RuleRow[], width: number): string[] {
  const textWidth = Math.min(width, 100);
  const families = Object.entries(ruleFamilies).flatMap(([family, when]) => {
    const members = rows.filter((row) => row.family === family);
    const rules = new Set(members.map((row) => row.rule));
    return [
      family.toUpperCase(),
      ...wrapWords(when, textWidth),
      "",
      ...(tableOf(members, width) ?? members.flatMap((row) => listed(row, textWidth))),
      "",
      ...[...rules].flatMap((rule) =>
        remarks(
          members.filter((row) => row.rule === rule),
          textWidth,
        ),
      ),
      "",
    ];
  });
  return [...families, ...legend.flatMap((sentence) => wrapWords(sentence, textWidth))];
}

/** The rows as a table with aligned columns; `undefined` when it is wider than `width`. */
function tableOf(rows: readonly RuleRow[], width: number): string[] | undefined {
  // Long cells take several lines on a terminal, and one line in a file, where one searches.
  const cellWidth = width === Infinity ? Infinity : 36;
  const cells = rows.map((row) => [
    nameOf(row),
    row.needs,
    row.work,
    row.memory,
    derivativeOf(row),
  ]);
  const table = [["rule", "needs", "work", "memory", "derivative"], ...cells].map((row) =>
    row.map((cell) => wrapWords(cell, cellWidth)),
  );
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.flatMap((row) => row[column]!.map(displayWidth))),
  );
  const total = widths.reduce((sum, one) => sum + one + 2, -2);
  if (total > width) return undefined;
  const draw = (row: readonly string[][]): string[] =>
    Array.from({ length: Math.max(...row.map((lines) => lines.length)) }, (_, i) =>
      row
        .map((lines, column) => {
          const line = lines[i] ?? "";
          return line + " ".repeat(widths[column]! - displayWidth(line));
        })
        .join("  ")
        .trimEnd(),
    );
  const [head, ...body] = table;
  return [...draw(head!), "-".repeat(total), ...body.flatMap(draw)];
}

/** A row as a paragraph: the call, then its properties. */
function listed(row: RuleRow, width: number): string[] {
  return [
    ...wrapWords(nameOf(row), width),
    ...indented("needs", row.needs, width),
    ...indented("work", row.work, width),
    ...indented("memory", row.memory, width),
    ...indented("derivative", derivativeOf(row), width),
  ];
}

/** What holds for all forms of a rule, and each theory of their errors once. */
function remarks(forms: readonly RuleRow[], width: number): string[] {
  const [{ rule, summary, fails, source }] = forms as [RuleRow];
  const bounds = new Set(forms.map(({ bound }) => bound));
  return [
    ...wrapWords(`${rule}: ${summary}`, width),
    ...indented("fails", `when ${fails}`, width),
    ...[...bounds].flatMap((bound) => {
      const options = forms.filter((row) => row.bound === bound).map(({ option }) => option);
      const names = options.map((option) => (option === "" ? "as it is" : option)).join(", ");
      return indented("bound", bounds.size === 1 ? bound : `${names}: ${bound}`, width);
    }),
    ...indented("source", source, width),
  ];
}

function indented(name: string, text: string, width: number): string[] {
  return wrapWords(text, width - 14).map(
    (line, i) => `  ${(i === 0 ? name : "").padEnd(12)}${line}`,
  );
}

function nameOf({ rule, option }: RuleRow): string {
  return `${rule} ${option}`.trim();
}

function derivativeOf({ bias, warmBias }: RuleRow): string {
  if (bias !== null) return "biased";
  return warmBias === null ? "exact" : "exact, cold";
}

const legend = [
  "T inner steps; |w| weights, |λ| hyperparameters; ∇L, ∇E gradients; H·v, C·v products with ∇²_ww and ∇²_λw.",
  "bound: what the distance from the exact hypergradient is at most; docs/rules.md has its constants and sources.",
  "exact: the derivative of E at the follower's response. --json says what a biased rule leaves out, docs/rules.md has the formulas.",
  'exact, cold: exact for start: "cold". A warm start, solve\'s default, hides how the weights before the steps depend on the hyperparameters; each report estimates it.',
];
