/** The house of docs/architecture.md: a folder is a role, and imports go one way only. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importsOf, root, sourceFiles } from "./repository.ts";

/** In building order. A folder imports from those before it, or only from `only` where given. */
const house: readonly { folder: string; only?: readonly string[] }[] = [
  { folder: "files", only: [] },
  { folder: "random", only: [] },
  { folder: "program" },
  { folder: "linear" },
  { folder: "bilevel" },
  { folder: "layers", only: [] },
  { folder: "data", only: ["files", "random", "program"] },
  { folder: "search", only: [] },
  { folder: "study" },
  { folder: "fewshot" },
  { folder: "automl" },
  { folder: "cli" },
];

/** Folder of a source file; files directly in src/ have none and may import everything but cli. */
function folderOf(path: string): string | undefined {
  const parts = path.split("/");
  return parts.length > 2 ? parts[1] : undefined;
}

function allowed(folder: string): readonly string[] {
  const position = house.findIndex((entry) => entry.folder === folder);
  const before = house.slice(0, position).map((entry) => entry.folder);
  return [folder, ...(house[position]!.only ?? before)];
}

test("every folder of src is a room of the house", () => {
  const folders = new Set(sourceFiles().map(folderOf));
  folders.delete(undefined);
  expect(folders.size).toBeGreaterThan(0);
  expect([...folders].filter((name) => !house.some(({ folder }) => folder === name))).toEqual([]);
});

test("imports go down the house only", () => {
  const wrong: string[] = [];
  for (const path of sourceFiles()) {
    const from = folderOf(path);
    for (const { file } of importsOf(path)) {
      if (file === undefined) continue;
      const to = folderOf(file);
      const fits =
        from === undefined
          ? to !== "cli"
          : file === "src/index.ts"
            ? from === "cli"
            : to !== undefined && allowed(from).includes(to);
      if (!fits) wrong.push(`${path} imports ${file}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("relative imports end in .ts, name an existing file and stay inside src", () => {
  const wrong: string[] = [];
  for (const path of sourceFiles()) {
    for (const { file, specifier } of importsOf(path)) {
      if (file === undefined) continue;
      const fits = /^src\/.*\.ts$/.test(file) && existsSync(join(root, file));
      if (!fits) wrong.push(`${path}: ${specifier}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no file loads itself over others", () => {
  const graph = new Map(sourceFiles().map((path) => [path, loadedBy(path)]));
  expect(cycles(graph)).toEqual([]);
});

/** Folders in which not even a type points back. */
const withoutCircles = ["bilevel", "linear", "files", "fewshot", "layers", "study", "automl"];

test("no file imports itself over others, types counted", () => {
  const inside = (path: string): boolean => withoutCircles.includes(folderOf(path) ?? "");
  const graph = new Map(
    sourceFiles()
      .filter(inside)
      .map((path) => [path, importsOf(path).flatMap(({ file }) => file ?? [])]),
  );
  expect(graph.size).toBeGreaterThan(100);
  expect(cycles(graph)).toEqual([]);
});

test("no folder imports itself over its siblings, types counted", () => {
  const graph = new Map<string, string[]>();
  for (const path of sourceFiles()) {
    for (const { file } of importsOf(path)) {
      if (file === undefined || !withoutCircles.includes(folderOf(path) ?? "")) continue;
      const [from, to] = siblings(path, file);
      if (from !== undefined) graph.set(from, [...(graph.get(from) ?? []), to!]);
    }
  }
  expect(graph.get("src/bilevel/advise")).toContain("src/bilevel/rules");
  expect(cycles(graph)).toEqual([]);
});

test("folders that part from a common one are siblings", () => {
  expect(siblings("src/a/b/c/x.ts", "src/a/d/y.ts")).toEqual(["src/a/b", "src/a/d"]);
  expect(siblings("src/a/b/x.ts", "src/a/b/c/y.ts")).toEqual([]);
});

test("the search for cycles finds one", () => {
  const graph = new Map([
    ["a", ["b"]],
    ["b", ["c", "d"]],
    ["c", []],
    ["d", ["b"]],
  ]);
  expect(cycles(graph)).toEqual(["b -> d -> b"]);
});

/** Files a file loads when it runs; type imports are erased, so they may point back. */
function loadedBy(path: string): string[] {
  return importsOf(path).flatMap(({ file, typeOnly }) => (typeOnly ? [] : (file ?? [])));
}

/** The two folders in one folder that hold the two files; none where a file lies in the other's folder, or above it. */
function siblings(a: string, b: string): string[] {
  const [from, to] = [a.split("/"), b.split("/")];
  const at = from.findIndex((part, i) => part !== to[i]);
  const isFile = at >= from.length - 1 || at >= to.length - 1;
  return isFile ? [] : [from.slice(0, at + 1).join("/"), to.slice(0, at + 1).join("/")];
}

/** One line for each edge that closes a circle in a depth-first walk. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (node: string, trail: string[]): void => {
    const start = trail.indexOf(node);
    if (start >= 0) found.push([...trail.slice(start), node].join(" -> "));
    if (start >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) walk(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) walk(node, []);
  return found;
}
