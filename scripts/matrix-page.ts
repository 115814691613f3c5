/** Writes docs/matrix.md from the rows and columns of test/matrix/: `npm run docs:matrix`. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import type { Cell, Row } from "../test/matrix/cells.ts";
import { columns } from "../test/matrix/problems.ts";
import { rows } from "../test/matrix/rules.ts";

/** The page's file. */
export const matrixPageFile: string = fileURLToPath(new URL("../docs/matrix.md", import.meta.url));

/** The page's text. */
export async function matrixPage(): Promise<string> {
  const config = await resolveConfig(matrixPageFile);
  const text = [
    introduction,
    legend(),
    "## The problems",
    ...[columns.map(({ name, title }) => `- ${name}: ${title}`).join("\n")],
    "## The matrix",
    table(),
    "## The reasons",
    ...rows.map(reasons),
  ].join("\n\n");
  return format(text, { ...config, parser: "markdown", proseWrap: "always" });
}

const introduction = `# Every rule on every problem

What each form of each rule gives on each of the problems whose answers are known by hand, in float64. A test
evaluates every cell as it is written here; the rows and columns are data in [test/matrix](../test/matrix/rules.ts), and
\`npm run docs:matrix\` makes this page of them. A form is the rule with the option of [rules.md](rules.md).

Where a tolerance is given, it is relative to the size of the hypergradient and of the response, or absolute below 1. Rules
with a state of their own are looked at where they come to rest while λ stands still, with all data at once.

The last columns are small networks with biases of which only the matrices are penalized: trained by gradient descent,
and after eight steps of other dynamics, whose derivative is differenced from steps written by hand. There a rule "agrees"
that gives the derivative of the same eight steps. \`implicitKkt\` sees a bound on a bias, the others no constraint.`;

const SIGNS: Readonly<Record<Cell["kind"], readonly [sign: string, meaning: string]>> = {
  agrees: ["=", "the leader's hypergradient and the follower's response"],
  arrives: ["→", "the leader's own descent ends at its optimum"],
  biased: [
    "≈",
    "what the rule's theory says in closed form, which is not the leader's hypergradient",
  ],
  misses: ["✗", "what theory says again, but of a wrong inner solution, and no status tells"],
  strays: ["↛", "the leader's own descent ends elsewhere, and no status tells"],
  flags: ["!", "the report's status names what is wrong"],
  refuses: ["R", "an error says what the rule cannot do"],
  unclaimed: ["·", "not asked of the rule, for the reason given below"],
};

function legend(): string {
  return Object.entries(SIGNS)
    .map(([kind, [sign, meaning]]) => `- ${sign} ${kind}: ${meaning}`)
    .join("\n");
}

function table(): string {
  const head = ["rule", ...columns.map(({ name }) => name)];
  const body = rows.map((row) => [
    nameOf(row),
    ...columns.map(({ name }) => SIGNS[row.cells[name].kind][0]),
  ]);
  return [head, head.map((_, i) => (i === 0 ? "---" : ":-:")), ...body]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function nameOf({ factory, option }: Row): string {
  return option === "" ? `\`${factory}\`` : `\`${factory}\` \`${option}\``;
}

/** A row's cells, those with one reason together. */
function reasons(row: Row): string {
  const byReason = new Map<string, string[]>();
  for (const { name } of columns) {
    const reason = inWords(row.cells[name]);
    byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  }
  const lines = [...byReason].map(([reason, names]) => `- ${names.join(", ")}: ${reason}`);
  return `### ${nameOf(row)}\n\n${lines.join("\n")}`;
}

function inWords(cell: Cell): string {
  const { kind, why } = cell;
  switch (kind) {
    case "agrees":
    case "biased":
    case "misses":
      return `${kind} to ${power(cell.tolerance)}; ${why}`;
    case "arrives":
    case "strays":
      return `${kind} at ${cell.leads.to.map((v) => Number(v.toPrecision(5))).join(", ")}, to ${power(cell.leads.tolerance)}; ${why}`;
    case "flags":
      return `flags "${cell.status}"; ${why}`;
    case "refuses":
    case "unclaimed":
      return `${kind}; ${why}`;
  }
}

const power = (tolerance: number): string =>
  tolerance >= 0.01 || tolerance === 0 ? String(tolerance) : tolerance.toExponential();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(matrixPageFile, await matrixPage());
}
