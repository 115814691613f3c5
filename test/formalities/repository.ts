/** What the formalities look at: the files a clone would have, and what a source file imports. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root: string = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Paths with `/` of every file that is in git or would be added to it, and still exists. */
export function repositoryFiles(): string[] {
  const options = ["-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"];
  const list = execFileSync("git", options, { cwd: root, encoding: "utf8" });
  return list.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
}

export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function readJson(path: string): unknown {
  return JSON.parse(read(path));
}

/** Source files of the library and the command line, without their unit tests. */
export function sourceFiles(): string[] {
  return repositoryFiles().filter(
    (path) => path.startsWith("src/") && path.endsWith(".ts") && !path.endsWith(".test.ts"),
  );
}

export interface Import {
  readonly specifier: string;
  /** Path in the repository for a relative import, otherwise undefined. */
  readonly file: string | undefined;
  /** `import type` and `export type`: erased, so it orders nothing at run time. */
  readonly typeOnly: boolean;
  /** `import()`: loaded when it is needed. */
  readonly isDynamic: boolean;
}

/** Static and dynamic imports and re-exports of one source file. */
export function importsOf(path: string): Import[] {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.ESNext, true);
  const imports: Import[] = [];
  const add = (specifier: string, typeOnly: boolean, isDynamic = false): void => {
    const file = specifier.startsWith(".")
      ? posix.normalize(posix.join(posix.dirname(path), specifier))
      : undefined;
    imports.push({ specifier, file, typeOnly, isDynamic });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      add(node.moduleSpecifier.text, typeOnly);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      if (ts.isStringLiteral(node.moduleSpecifier)) add(node.moduleSpecifier.text, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const argument = node.arguments[0];
      if (argument !== undefined && ts.isStringLiteralLike(argument))
        add(argument.text, false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}
