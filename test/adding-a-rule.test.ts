/**
 * The template of docs/adding-a-rule.md stays true: its files are taken out of the page, type-checked in the places
 * that it names, and run from a copy, tests included.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, expect, test } from "vitest";
import type { CatalogEntry } from "../src/bilevel/rules/catalog.ts";
import { disposePrograms } from "../src/bilevel/index.ts";
import { expectCounts } from "./bilevel/rule-counts.ts";
import type { Row } from "./matrix/cells.ts";
import { checkCell } from "./matrix/evaluate-cell.ts";
import { columns } from "./matrix/problems.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "docs/adding-a-rule.md"), "utf8");

/** Path in the repository to the text that the file has after the page's change. */
const files = new Map<string, string>();
for (const [, verb, path, code] of page.matchAll(/^```ts (file|append)=(\S+)\n([\s\S]*?)^```$/gm)) {
  const before = verb === "append" ? readFileSync(join(root, path!), "utf8") : "";
  files.set(path!, before + code!);
}

// A folder that git, the linter and the formatter ignore, inside the repository: packages are found from there.
const copy = mkdtempSync(join(root, "stackelberg-template-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));
for (const [path, text] of files) {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), withOriginals(path, text));
}

test("the page has a rule, its export, its catalog entry, its row and its test", () => {
  expect([...files.keys()]).toEqual([
    "src/bilevel/rules/implicit/scaled-identity.ts",
    "src/bilevel/rules/index.ts",
    "src/bilevel/rules/implicit/catalog.ts",
    "test/matrix/rows-implicit.ts",
    "test/bilevel/rules-scaled-identity.test.ts",
  ]);
});

test("its files compile where they belong", () => {
  expect(diagnose(files)).toEqual([]);
  // The check sees the files: a wrong one does not pass.
  const [rule] = files.keys();
  const broken = new Map(files).set(
    rule!,
    files.get(rule!)!.replace("steps: number", "steps: never"),
  );
  expect(diagnose(broken).length).toBeGreaterThan(0);
});

test("its catalog entry gives the rule's counts, and names its file and source", async () => {
  const path = join(copy, "src/bilevel/rules/implicit/catalog.ts");
  const { implicitRules } = (await import(path)) as { implicitRules: readonly CatalogEntry[] };
  expect(implicitRules.length).toBe(1);
  const [{ factory, file, source, forms }] = implicitRules as [CatalogEntry];
  const rule = files.get(`src/bilevel/${file}`)!;
  expect(rule).toContain(`export function ${factory}(`);
  expect(rule).toContain(`@see ${source}.`);
  for (const form of forms) expectCounts(form);
});

const { implicitRows: rows } = (await import(join(copy, "test/matrix/rows-implicit.ts"))) as {
  implicitRows: readonly Row[];
};
test.each(columns)("its row of the matrix holds on $name", async (column) => {
  expect(rows.length).toBe(1);
  await checkCell(rows[0]!, column);
  await disposePrograms(column.problem);
});

// Its tests join those of this file.
await import(join(copy, "test/bilevel/rules-scaled-identity.test.ts"));

/** The text with relative imports that lead out of the copy sent to the repository. */
function withOriginals(path: string, text: string): string {
  return text.replace(/(?<=from ")\.{1,2}\/[^"]+(?=")/g, (specifier) => {
    const target = posix.join(posix.dirname(path), specifier);
    return files.has(target) ? specifier : join(root, target);
  });
}

/** Messages of the compiler on the given files, lying over those of the repository. */
function diagnose(files: ReadonlyMap<string, string>): string[] {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(
    { ...config.config, include: [] },
    ts.sys,
    root,
  );
  const host = ts.createCompilerHost(options);
  const overlay = new Map([...files].map(([path, text]) => [join(root, path), text]));
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => overlay.has(path) || fileExists(path);
  host.readFile = (path) => overlay.get(path) ?? readFile(path);
  host.getSourceFile = (path, language, ...rest) => {
    const text = overlay.get(path);
    return text === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, text, language);
  };
  const program = ts.createProgram([...overlay.keys()], options, host);
  return [...overlay.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)!;
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
  });
}
