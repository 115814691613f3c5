/**
 * Writes docs/rules.md from the catalog of rules: `npm run docs:rules`. Needs, biases and counts come from the rules
 * themselves, formulas from the headers of their files, examples from the catalog's own code.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import ts from "typescript";
import {
  costInWords,
  needsInWords,
  ruleCatalog,
  ruleFamilies,
  type CatalogEntry,
  type RuleForm,
} from "../src/bilevel/rules/catalog.ts";
import type { ErrorTheory } from "../src/bilevel/bounds.ts";

/** The page's file. */
export const rulesPageFile: string = fileURLToPath(new URL("../docs/rules.md", import.meta.url));

/** The page's text. */
export async function rulesPage(): Promise<string> {
  const examples = exampleCode();
  const families = Object.entries(ruleFamilies).map(([family, when]) => {
    const entries = ruleCatalog.filter((entry) => entry.family === family);
    return [
      `## ${family[0]!.toUpperCase()}${family.slice(1)}`,
      when,
      familyTable(entries),
      ...entries.map((entry) => section(entry, examples)),
    ].join("\n\n");
  });
  const config = await resolveConfig(rulesPageFile);
  return format([introduction, ...families].join("\n\n"), {
    ...config,
    parser: "markdown",
    proseWrap: "always",
  });
}

const introduction = `# The rules

Every way to a hypergradient that the library has: what it needs, what it costs, when it fails and where it comes from.
\`stackelberg rules\` prints the same in a terminal. This page is generated from the catalog in
[src/bilevel/rules/catalog.ts](../src/bilevel/rules/catalog.ts) by \`npm run docs:rules\`; needs, biases and counts are the rules' own,
and [adding-a-rule.md](adding-a-rule.md) shows how a new one comes in.

w are the follower's weights, |w| numbers; λ the |λ| hyperparameters; L the inner and E the outer objective; T the inner
steps of one outer step. ∇L and ∇E count evaluations of a gradient, H·v products with ∇²_ww and C·v products with
∇²_λw, of L unless said. What only the report needs is not counted. Memory is what the derivative keeps at once, besides
the data and the weights.

An error bound is one for the distance of h, the rule's hypergradient, from ∇F, that of the exact inner solution, in exact
arithmetic. Its constants are μ \`strongConvexity\`, ℓ \`smoothness\`, ρ \`hessianLipschitz\`, M \`crossNorm\`, κ
\`crossLipschitz\`, L_E \`outerSmoothness\` and D \`directLipschitz\`, defined in
[bounds.ts](../src/bilevel/bounds.ts). Everything else is measured: \`hypergradient\` and \`solve\` take
the constants and report the value, or an estimate where some of μ, ℓ and M are left out.

A rule without a bias gives the exact derivative of E at the follower's response. "Exact, cold" means that it does so for a
follower that starts at weights of its own, as with \`start: "cold"\` in \`solve\`. From a warm start, the default, it leaves
out how the weights before its steps depend on the hyperparameters; each step's report says so and estimates it, and the
result warns where it matters. Of the names in the examples,
\`stackelberg/rules\` has the rules, \`stackelberg/linear\` the solvers and \`stackelberg/bilevel\` everything else.`;

function familyTable(entries: readonly CatalogEntry[]): string {
  const rows = entries.flatMap(({ factory, forms }) =>
    forms.map(({ option, rule, cost }, i) => {
      const { needs } = rule();
      const name = i === 0 ? `[\`${factory}\`](#${factory.toLowerCase()})` : `\`${factory}\``;
      return [
        option === "" ? name : `${name} \`${option}\``,
        needsInWords(needs),
        costInWords(cost),
        needs.memory,
        needs.bias !== undefined
          ? "biased"
          : needs.warmBias === undefined
            ? "exact"
            : "exact, cold",
      ];
    }),
  );
  const head = ["rule", "needs", "work", "memory", "derivative"];
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`)
    .join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function section(entry: CatalogEntry, examples: ReadonlyMap<string, string>): string {
  const { factory, summary, fails, source, file, forms } = entry;
  const biases = [...new Set(forms.map(({ rule }) => rule().needs.bias))];
  const shared = biases.length === 1 ? biases[0] : undefined;
  return [
    `### ${factory}`,
    `${capital(summary)}. In [${file}](../src/bilevel/${file}).`,
    `\`\`\`text\n${formulaOf(file)}\n\`\`\``,
    forms.map((form) => formLine(form, forms.length > 1, biases.length > 1)).join("\n"),
    ...(shared === undefined ? [] : [`Biased: ${shared}.`]),
    `Fails when: ${fails}.`,
    ...boundsOf(forms),
    `Source: ${source}.`,
    `\`\`\`ts\nconst rule = ${examples.get(factory)};\n\`\`\``,
  ].join("\n\n");
}

function formLine(
  { option, rule, cost, remark }: RuleForm,
  isOneOfMany: boolean,
  hasOwnBias: boolean,
): string {
  const { needs } = rule();
  const name = isOneOfMany ? `${option === "" ? "as it is" : `\`${option}\``}: ` : "";
  const sentences = [
    `${name}needs ${needsInWords(needs)}`,
    `costs ${costInWords(cost)}`,
    `keeps ${cost.storedFloats === undefined ? "nothing" : `${cost.storedFloats} numbers`}`,
  ].join("; ");
  const bias = hasOwnBias && needs.bias !== undefined ? ` Biased: ${needs.bias}.` : "";
  return `- ${capital(sentences)}.${bias}${remark === undefined ? "" : ` ${remark}`}`;
}

/** What theory says of the forms' errors, each theory once, with its forms' names where there are several. */
function boundsOf(forms: CatalogEntry["forms"]): string[] {
  const names = new Map<string, string[]>();
  for (const { option, rule } of forms) {
    const text = boundText(rule().bound);
    const name = option === "" ? "as it is" : `\`${option}\``;
    names.set(text, [...(names.get(text) ?? []), name]);
  }
  return [...names].map(([text, forms]) =>
    names.size === 1
      ? text
      : `${capital(forms.join(", "))}: ${text[0]!.toLowerCase()}${text.slice(1)}`,
  );
}

function boundText(theory: ErrorTheory | undefined): string {
  if (theory === undefined) throw new Error("rules-page: a rule in the catalog declares no bound.");
  if (theory.kind === "none") return `No error bound: ${theory.why}.`;
  const assumptions = theory.assumptions.join(", and ");
  return `Error bound, if ${assumptions}; after ${theory.source}:\n\n\`\`\`text\n${theory.formula}\n\`\`\``;
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}

/** The indented lines of a file's header. */
function formulaOf(file: string): string {
  const text = readFileSync(new URL(`../src/bilevel/${file}`, import.meta.url), "utf8");
  const header = text.slice(0, text.indexOf("*/")).split("\n");
  const formula = header.flatMap((line) => /^ \* {5}(.*)$/.exec(line)?.[1] ?? []);
  if (formula.length === 0) {
    throw new Error(
      `rules-page: the header of src/bilevel/${file} must have the rule's formula, indented by five spaces; none is there.`,
    );
  }
  return formula.join("\n");
}

/** For each factory, the code of its first form's instance in the catalog. */
function exampleCode(): Map<string, string> {
  const found = new Map<string, string>();
  const folder = new URL("../src/bilevel/rules/", import.meta.url);
  for (const file of ts.sys.readDirectory(fileURLToPath(folder), [".ts"])) {
    if (!file.endsWith("catalog.ts")) continue;
    const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ESNext);
    const visit = (node: ts.Node): void => {
      if (ts.isPropertyAssignment(node) && node.name.getText(source) === "rule") {
        const { initializer } = node;
        if (ts.isArrowFunction(initializer) && ts.isCallExpression(initializer.body)) {
          const factory = initializer.body.expression.getText(source);
          if (!found.has(factory)) found.set(factory, initializer.body.getText(source));
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(rulesPageFile, await rulesPage());
}
