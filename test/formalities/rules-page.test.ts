/** docs/rules.md is what the catalog of rules makes today, and its examples name what the package exports. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rulesPage, rulesPageFile } from "../../scripts/rules-page.ts";
import { ruleCatalog } from "../../src/bilevel/rules/catalog.ts";
import * as rules from "../../src/bilevel/rules/index.ts";
import * as bilevel from "../../src/bilevel/index.ts";
import * as linear from "../../src/linear/index.ts";
import * as program from "../../src/program/index.ts";

const page = readFileSync(rulesPageFile, "utf8");

test("the committed page is current", async () => {
  const current = await rulesPage();
  expect(page === current, "docs/rules.md is out of date; run npm run docs:rules").toBe(true);
});

test("every rule has its section, with its formula and an example", () => {
  const sections = page.split(/^### /m).slice(1);
  expect(sections.map((text) => text.split("\n")[0])).toEqual(
    ruleCatalog.map(({ factory }) => factory),
  );
  for (const [i, text] of sections.entries()) {
    expect(text).toContain("```text\n");
    expect(text).toContain(`const rule = ${ruleCatalog[i]!.factory}(`);
  }
});

test("the examples call only what the package exports", () => {
  const code = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text]) => text!).join("");
  const called = new Set([...code.matchAll(/(?<![.\w])([a-z]\w*)\(/gi)].map(([, name]) => name!));
  expect(called.size).toBeGreaterThanOrEqual(ruleCatalog.length);
  const exported = { ...rules, ...bilevel, ...linear, ...program };
  expect([...called].filter((name) => !(name in exported))).toEqual([]);
});
