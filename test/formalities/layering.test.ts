/** The house of docs/architecture.md: a folder is a role, and imports go one way only. */
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { importsOf, readJson, root, sourceFiles } from "./repository.ts";

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

/** What a folder may be entered by: its index, for everybody; `internal.ts`, for the house; the rules, which are many; and what a browser loads of files/. */
const doors = ["index.ts", "internal.ts"];
const moreDoors = ["src/bilevel/rules/index.ts", "src/files/portable.ts"];

test("a folder of src is entered by its doors only", () => {
  const wrong: string[] = [];
  for (const path of sourceFiles()) {
    for (const { file, isDynamic } of importsOf(path)) {
      // What is loaded when it is needed names the one file that it needs.
      if (file === undefined || isDynamic) continue;
      const [from, to] = [folderOf(path), folderOf(file)];
      const isDoor = doors.some((door) => file === `src/${to}/${door}`) || moreDoors.includes(file);
      if (from !== to && to !== undefined && !isDoor) wrong.push(`${path} imports ${file}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("what the package publishes does not come by the side doors", () => {
  const entries = Object.values(
    (readJson("package.json") as { exports: Record<string, { types?: string }> }).exports,
  );
  const published = entries.flatMap(({ types }) =>
    types === undefined ? [] : types.replace("./dist/", "src/").replace(".d.ts", ".ts"),
  );
  expect(published.length).toBeGreaterThan(5);
  for (const path of published) {
    const sides = importsOf(path).filter(({ file }) => file?.endsWith("/internal.ts"));
    expect(sides, path).toEqual([]);
  }
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

test("no file imports itself over others, for a type neither", () => {
  expect(cycles(importGraph())).toEqual([]);
});

test("no folder imports itself over the folders and files beside it", () => {
  const graph = importGraph();
  const folders = new Set([...graph.keys()].flatMap(foldersAbove));
  const found = [...folders].flatMap((folder) => cycles(roomsOf(folder, graph)));
  expect(found).toEqual([]);
});

test("no folder has more than 25 source files of its own", () => {
  const counts = new Map<string, number>();
  for (const path of sourceFiles()) {
    const folder = posix.dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  expect([...counts].filter(([, count]) => count > 25)).toEqual([]);
});

test("rooms are the folders and files directly below a folder", () => {
  const graph = new Map([
    ["src/a/one.ts", ["src/b.ts"]],
    ["src/b.ts", ["src/a/c/two.ts", "src/a/one.ts"]],
    ["src/a/c/two.ts", []],
  ]);
  const rooms = roomsOf("src", graph);
  expect(rooms).toEqual(
    new Map([
      ["src/a", ["src/b.ts"]],
      ["src/b.ts", ["src/a", "src/a"]],
    ]),
  );
  expect(cycles(rooms)).toContain("src/a -> src/b.ts -> src/a");
  expect(foldersAbove("src/a/c/two.ts")).toEqual(["src", "src/a", "src/a/c"]);
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

/** What each source file imports of the others, for types too. */
function importGraph(): Map<string, string[]> {
  return new Map(
    sourceFiles().map((path) => [path, importsOf(path).flatMap(({ file }) => file ?? [])]),
  );
}

/** The folders and files directly below `folder`, with what each imports of the others. */
function roomsOf(
  folder: string,
  graph: ReadonlyMap<string, readonly string[]>,
): Map<string, string[]> {
  const roomOf = (path: string): string | undefined => {
    if (!path.startsWith(`${folder}/`)) return undefined;
    return `${folder}/${path.slice(folder.length + 1).split("/")[0]!}`;
  };
  const rooms = new Map<string, string[]>();
  for (const [path, imported] of graph) {
    const room = roomOf(path);
    if (room === undefined) continue;
    const others = imported.flatMap((file) => roomOf(file) ?? []).filter((to) => to !== room);
    rooms.set(room, [...(rooms.get(room) ?? []), ...others]);
  }
  return rooms;
}

/** "src/a/b.ts" has "src" and "src/a". */
function foldersAbove(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
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
