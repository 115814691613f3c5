import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  asTyped,
  commandText,
  fileWord,
  freshFolder,
  optionWords,
  programWords,
  shellQuote,
} from "./command-text.ts";

const folder = mkdtempSync(join(tmpdir(), "stackelberg-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a shell gives back every word as it was, quotes, blanks and line breaks included", () => {
  const echo = ["node", "-e", "process.stdout.write(JSON.stringify(process.argv.slice(1)))", "--"];
  const known = [
    "it's",
    "",
    "a b",
    "$(rm -rf)",
    "=x",
    "~",
    "a\nb",
    "100%\t'\\n'",
    "é",
    '"',
    "\\''",
  ];
  const random = fc.sample(fc.array(fc.string({ minLength: 1 }), { maxLength: 40 }), {
    seed: 4,
    numRuns: 5,
  });
  // A shell cuts line breaks at the end of what it substitutes; no name of a column or a file here ends in one.
  const words = [...known, ...random.flat()].filter((word) => !/[\0\n]$|\0/.test(word));
  const line = [...echo, ...words].map(shellQuote).join(" ");
  expect(line).not.toMatch(/[\n\r]/);
  expect(JSON.parse(execFileSync("sh", ["-c", line], { encoding: "utf8" }))).toEqual(words);
});

describe("the program as it was started", () => {
  const bin = (path: string): string => join(folder, path, "node_modules", ".bin");
  const installed = join(folder, "app", "node_modules", "stackelberg", "dist", "cli");
  mkdirSync(installed, { recursive: true });
  mkdirSync(bin("app"));
  mkdirSync(join(folder, "app", "data"));
  mkdirSync(join(folder, "global"));
  writeFileSync(join(installed, "main.js"), "");
  symlinkSync(join(installed, "main.js"), join(bin("app"), "stackelberg"));
  symlinkSync(join(installed, "main.js"), join(folder, "global", "stackelberg"));
  const link = join(bin("app"), "stackelberg");
  const at = (cwd: string, main: string, more: object = {}): string[] =>
    programWords({ main, execArgv: [], cwd: join(folder, cwd), path: "/bin", ...more });

  test("installed: npx where it finds the package, Node and the script elsewhere", () => {
    expect(at("app", link)).toEqual(["npx", "stackelberg"]);
    expect(at("app/data", link)).toEqual(["npx", "stackelberg"]);
    expect(at("global", link)).toEqual([
      "node",
      "../app/node_modules/stackelberg/dist/cli/main.js",
    ]);
  });

  test("on the path: its name, but not by a path that npx made", () => {
    const path = ["/bin", join(folder, "global")].join(":");
    expect(at("app", link, { path })).toEqual(["stackelberg"]);
    expect(at("app", link, { path: bin("app") })).toEqual(["npx", "stackelberg"]);
  });

  test("a clone: Node, its options, and the script from this folder", () => {
    const main = join(folder, "clone", "dist", "cli", "main.js");
    mkdirSync(join(folder, "clone", "dist", "cli"), { recursive: true });
    writeFileSync(main, "");
    expect(at("clone", main)).toEqual(["node", "dist/cli/main.js"]);
    expect(at("global", main, { execArgv: ["--import", "tsx", "--inspect=1"] })).toEqual([
      "node",
      "--import",
      "tsx",
      "../clone/dist/cli/main.js",
    ]);
    const start = { main, execArgv: [], cwd: join(folder, "clone"), path: "" };
    expect(commandText(["tune", "a b.csv"], start)).toBe("node dist/cli/main.js tune 'a b.csv'");
    expect(
      asTyped("Examples:\n  stackelberg tune --demo\ntry `stackelberg rules`; stackelberg", start),
    ).toBe(
      "Examples:\n  node dist/cli/main.js tune --demo\ntry `node dist/cli/main.js rules`; stackelberg",
    );
  });
});

test("values and files with a leading dash are not taken for options", () => {
  expect(optionWords("--target", "-x")).toEqual(["--target=-x"]);
  expect(optionWords("--seed", 3)).toEqual(["--seed", "3"]);
  expect(optionWords("--exclude", ["a,b", "c"])).toEqual(["--exclude", "a\\,b,c"]);
  expect(optionWords("--exclude", [])).toEqual([]);
  expect(optionWords("--task", undefined)).toEqual([]);
  expect(fileWord("-x.csv")).toBe("./-x.csv");
});

test("a fresh folder is one that is not there", () => {
  mkdirSync(join(folder, "out-again"));
  expect(freshFolder(join(folder, "out"), "again")).toBe(join(folder, "out-again-2"));
  expect(freshFolder(join(folder, "out"), "without")).toBe(join(folder, "out-without"));
});
