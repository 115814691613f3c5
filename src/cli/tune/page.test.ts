import { describe, expect, test } from "vitest";
import { dataSummary } from "../../../test/cli/data-summary.ts";
import { environment, makeTuneResult } from "../../../test/cli/tune-result.ts";
import { shownColumns } from "./explanation-section.ts";
import { escapeHtml, html } from "../page/html.ts";
import { reportPage, summary } from "./page.ts";

const context = {
  environment,
  command: "stackelberg tune a.csv --target 'x & <y>'",
  resume: "stackelberg tune --resume a",
  data: dataSummary,
  without: "stackelberg tune a.csv --exclude tax",
  dataHash: "ab12",
};

test("templates escape text and attributes, and keep HTML", () => {
  const name = `"><script>alert('1')</script>`;
  expect(
    html`<i title="${name}">${name}${html`<b>${1}</b>`}${undefined}${["<", ">"]}</i>`.text,
  ).toBe(`<i title="${escapeHtml(name)}">${escapeHtml(name)}<b>1</b>&lt;&gt;</i>`);
  expect(escapeHtml("a\u0000b\u001b")).toBe("ab");
});

describe("the page", () => {
  const page = reportPage(makeTuneResult(), context);

  test("escapes everything that comes from the data", () => {
    expect(page).not.toMatch(/<script/i);
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page).toContain("Column &lt;b&gt;native&lt;/b&gt; has 41 levels.");
    expect(page).toContain("x &amp; &lt;y&gt;");
    const hostile = reportPage(
      {
        ...makeTuneResult(),
        source: "<img src=x>.csv",
        target: { task: "binary", name: "<u>", classes: ["<a>", "'\"`"] },
      },
      context,
    );
    expect(hostile).not.toMatch(/<img|<u>|<a>/);
  });

  test("needs nothing from outside", () => {
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page).not.toMatch(/(?:src|href)=|url\(|@import|https?:/);
    expect(page).toContain("prefers-color-scheme: dark");
    expect(page).toContain("@media print");
  });

  test("is well-formed: every element is closed in order", () => {
    expect(unclosed(page)).toEqual([]);
  });

  test("says the verdict, the intervals, the notes and the command", () => {
    expect(page).toContain("One coefficient per column beat the best single coefficient");
    expect(page).toMatch(/0\.\d+ ± 0\.\d+ ★/);
    expect(page).toContain(escapeHtml(context.command));
    expect(page).toContain("SHA-256 ab12");
    for (const label of ["outer objective", "inner objective", "norm (log scale)", "outer step"]) {
      expect(page).toContain(label);
    }
  });
});

test("many columns: the first hundred are drawn, the others summed up", () => {
  const page = reportPage(makeTuneResult({ columns: 130 }), context);
  expect(page.match(/class="bar-row" role="row"/g)).toHaveLength(shownColumns);
  expect(page).toContain("30 more columns");
});

test("unfinished, single-split and empty runs have a page as well", () => {
  const single = makeTuneResult({ repeats: 1 });
  expect(reportPage(single, context)).toContain("One split only");
  const stopped = {
    ...single,
    status: "cancelled",
    completedRepeats: 0,
    methods: [],
    history: [],
  } as const;
  const page = reportPage({ ...stopped, methods: [], history: [] }, context);
  expect(page).toContain("This run is not complete");
  expect(page).not.toContain("NaN");
  expect(unclosed(page)).toEqual([]);
  const broken = makeTuneResult();
  broken.history = broken.history.map((row) => ({ ...row, outer: NaN }));
  expect(reportPage(broken, context)).toContain("No finite values of the outer objective");
});

test("the summary is three sentences with the numbers of rows", () => {
  const sentences = summary(makeTuneResult());
  expect(sentences).toHaveLength(3);
  expect(sentences[1]).toContain("5 folds of 26,049 rows, each held out once");
  expect(sentences[2]).toContain("6,512 test rows");
  expect(sentences.every((sentence) => sentence.endsWith("."))).toBe(true);
});

test("the least shrunk columns come first", () => {
  const { inputs, explanation } = makeTuneResult();
  const sorted = explanation!.order.map((i) => inputs[i]!.numbers["shrinkage"]!);
  expect(sorted).toEqual(sorted.toSorted((a, b) => a - b));
});

test("a run without a search and without an explanation has neither section", () => {
  const { rule: _rule, explanation: _explanation, ...rest } = makeTuneResult();
  const page = reportPage(rest, context);
  expect(page).not.toContain("What each column is worth");
  expect(page).not.toContain("How the hypergradients were computed");
  expect(unclosed(page)).toEqual([]);
});

/** Names of elements that are not closed, or closed out of order. */
function unclosed(page: string): string[] {
  const open: string[] = [];
  for (const [, slash, name, selfClosing] of page.matchAll(
    /<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/gi,
  )) {
    if (selfClosing === "/" || name === "meta") continue;
    if (slash === "") open.push(name!);
    else if (open.at(-1) === name) open.pop();
    else return [...open, `/${name!}`];
  }
  return open;
}
