/**
 * The public names of every entry of the package, as text files beside this one: a name that comes
 * or goes shows in the change. Update them with `npx vitest run test/formalities -u`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { read, readJson, root } from "./repository.ts";

const { exports: conditions } = readJson("package.json") as {
  exports: Record<string, string | { types: string; default: string }>;
};

const entries = Object.entries(conditions).flatMap(([name, target]) =>
  typeof target === "string" ? [] : [{ name, ...target, source: sourceOf(target.default) }],
);

function sourceOf(built: string): string {
  return built.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts");
}

test("package.json names entries, and each has its source", () => {
  expect(entries.length).toBeGreaterThan(0);
  expect(
    entries.map(({ source }) => source).filter((path) => !existsSync(join(root, path))),
  ).toEqual([]);
});

describe.each(entries.filter(({ source }) => existsSync(join(root, source))))(
  "$name",
  ({ name, source, types, default: built }) => {
    test("its types and code come from one source", () => {
      expect(types.replace(/\.d\.ts$/, ".js")).toBe(built);
    });

    test("its names are the ones on file", async () => {
      const { names, stars } = exportsOf(source);
      expect(stars, "an entry lists its names one by one").toEqual([]);
      expect(names.length).toBeGreaterThan(0);
      const file = name === "." ? "index" : name.slice(2).replaceAll("/", "-");
      await expect(`${names.join("\n")}\n`).toMatchFileSnapshot(`./exports/${file}.txt`);
    });
  },
);

/** Sorted names a source file exports, types with `type` in front, and its wildcard re-exports. */
function exportsOf(path: string): { names: string[]; stars: string[] } {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.ESNext, true);
  const names: string[] = [];
  const stars: string[] = [];
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      const clause = statement.exportClause;
      if (clause === undefined || !ts.isNamedExports(clause)) {
        stars.push(statement.getText());
        continue;
      }
      for (const { name, isTypeOnly } of clause.elements) {
        names.push(`${statement.isTypeOnly || isTypeOnly ? "type " : ""}${name.text}`);
      }
    } else if (isExported(statement)) {
      if (ts.isVariableStatement(statement)) {
        names.push(...statement.declarationList.declarations.map(({ name }) => name.getText()));
      } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
        names.push(statement.name?.text ?? "default");
      } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
        names.push(`type ${statement.name.text}`);
      }
    }
  }
  const bare = (name: string): string => name.replace(/^type /, "");
  return { names: names.sort((a, b) => (bare(a) < bare(b) ? -1 : 1)), stars };
}

function isExported(statement: ts.Statement): boolean {
  if (!ts.canHaveModifiers(statement)) return false;
  const modifiers = ts.getModifiers(statement) ?? [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}
