/** Relative links in the documents lead to a file, and to a heading where they name one. */
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { read, repositoryFiles, root } from "./repository.ts";

const documents = repositoryFiles().filter((path) => path.endsWith(".md"));

test("relative links in Markdown resolve", () => {
  expect(documents.length).toBeGreaterThan(0);
  const broken = documents.flatMap((path) =>
    linksOf(read(path))
      .filter((link) => !resolves(path, link))
      .map((link) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test("links are found in prose, images, references and HTML, not in code", () => {
  const text = [
    "[a](one.md) ![b](two.png 'title') [c](<three four.md>) `[d](no.md)`",
    "[e]: five.md",
    '<img src="six.png">',
    "```",
    "[f](no.md)",
    "```",
    "[g](https://example.org/) [h](#heading)",
  ].join("\n");
  expect(linksOf(text)).toEqual(
    expect.arrayContaining(["one.md", "two.png", "three four.md", "five.md", "six.png"]),
  );
  expect(linksOf(text)).not.toContain("no.md");
  expect(linksOf(text)).toContain("#heading");
});

test("headings become anchors as on the usual forges", () => {
  expect(anchorsOf("# One `two` (three)\n## A–B, *c*\n## A–B, *c*\n")).toEqual([
    "one-two-three",
    "ab-c",
    "ab-c-1",
  ]);
});

function resolves(path: string, link: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return true;
  const [target = "", anchor] = decodeURIComponent(link).split("#");
  const file = target === "" ? path : posix.join(posix.dirname(path), target);
  if (file.startsWith("..") || !existsSync(join(root, file))) return false;
  if (anchor === undefined || !file.endsWith(".md")) return true;
  return anchorsOf(read(file)).includes(anchor);
}

function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown);
  const patterns = [
    /\]\(\s*(?:<([^>]+)>|([^\s)]+))/g,
    /^\s{0,3}\[[^\]]+\]:\s*(?:<([^>]+)>|(\S+))/gm,
    /<(?:a|img|source)\b[^>]*?\b(?:href|src)="([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? ""),
  );
}

function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  const headings = withoutFences(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  return [...headings].map((match) => {
    const slug = match[1]!
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^\s*(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\s*\1\s*$/gm, "");
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replace(/(`+)[^`]*?\1/g, "");
}
