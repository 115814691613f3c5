/** The catalog against the rules themselves: none is missing, and what it says of cost and source is so. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluateFormula, expectCounts } from "../../../test/bilevel/rule-counts.ts";
import { costInWords, needsInWords, ruleCatalog, ruleFamilies } from "./catalog.ts";

const forms = ruleCatalog.flatMap((entry) =>
  entry.forms.map((form) => ({ entry, form, label: `${entry.factory} ${form.option}`.trim() })),
);
const door = new URL("./index.ts", import.meta.url);
const index = readFileSync(door, "utf8");

test("every exported rule is in the catalog, and nothing else", () => {
  const exported = exportedFactories(index);
  const listed = ruleCatalog.map(({ factory }) => factory);
  expect(exported.length).toBeGreaterThan(15);
  const missing = exported.filter((name) => !listed.includes(name));
  expect(
    missing,
    `rules without an entry in a family's src/bilevel/rules/<family>/catalog.ts: ${missing.join(", ")}; add one, then npm run docs:rules`,
  ).toEqual([]);
  const unknown = listed.filter((name) => !exported.includes(name));
  expect(
    unknown,
    `the catalog lists what src/bilevel/rules/index.ts does not export as a rule: ${unknown.join(", ")}`,
  ).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});

test("factories are told from other exports by what they return", () => {
  const lines = [
    'export { reverse, type ReverseOptions } from "./explicit/reverse.ts";',
    'export { slBamm, slBammLeaderRate } from "./stochastic/sl-bamm.ts";',
    'export { type Rate } from "../estimate/levels.ts";',
  ];
  expect(exportedFactories(lines.join("\n"))).toEqual(["reverse", "slBamm"]);
});

test("the families come in order, and each has a rule", () => {
  const order = [...new Set(ruleCatalog.map(({ family }) => family))];
  expect(order).toEqual(Object.keys(ruleFamilies));
  for (const { family, factory, forms } of ruleCatalog) {
    if (family !== "without a unique inner solution") continue;
    for (const form of forms) expect(form.rule().needs.uniqueInnerSolution, factory).toBe(false);
  }
});

test("what a rule needs is said in words", () => {
  const none = {
    secondDerivatives: false,
    uniqueInnerSolution: false,
    strongConvexity: false,
    memory: "O(|w|)",
  };
  expect(needsInWords(none)).toBe("first derivatives");
  expect(needsInWords({ ...none, secondDerivatives: true })).toBe("second derivatives");
  const unique = { ...none, uniqueInnerSolution: true };
  expect(needsInWords(unique)).toBe("a unique inner solution");
  const strong = { ...unique, secondDerivatives: true, strongConvexity: true };
  expect(needsInWords(strong)).toBe("second derivatives, strong convexity");
});

test("the work is said in words, sums in parentheses", () => {
  expect(costInWords({ innerGradients: "T + 2", hessianVectorProducts: "2·(N − 1)" })).toBe(
    "(T + 2) ∇L, 2·(N − 1) H·v",
  );
  const ofOuter = { outerGradients: "1", outerHessianVectorProducts: "T", outerCrossProducts: "T" };
  expect(costInWords(ofOuter)).toBe("1 ∇E, T H·v of E, T C·v of E");
  expect(costInWords({ storedFloats: "|w|" })).toBe("no inner work");
});

describe.each(ruleCatalog)("$factory", ({ factory, file, source }) => {
  const text = readFileSync(new URL(`../${file}`, door), "utf8");

  test("its file makes it, and names the same source", () => {
    const before = text.slice(0, text.indexOf(`\nexport function ${factory}(`));
    expect(before.length).toBeLessThan(text.length - 1);
    const comment = before.slice(before.lastIndexOf("/**"));
    const see = /@see ([^@]*?)\s*(?:\* @|\*\/)/.exec(comment)?.[1] ?? "";
    expect(see.replace(/\s*\n\s*\*\s*/g, " ").replace(/\.$/, "")).toBe(source);
  });
});

describe.each(forms)("$label", ({ entry, form }) => {
  test("the formulas of its cost give the counts of its instance", () => {
    expectCounts(form);
  });

  test("it says what theory bounds, or why nothing", () => {
    const { bound } = form.rule();
    if (bound?.kind === "none") expect(bound.why).toMatch(/\w.*[^.]$/);
    else expect(bound?.formula).toMatch(/^‖h − ∇F‖ ≤ .*\n.*μ/);
  });

  test("its option is one of the instance's", () => {
    const code = form.rule.toString();
    expect(code).toContain(entry.factory);
    for (const word of form.option.match(/[a-z]\w*(?=:)/gi) ?? []) expect(code).toContain(word);
  });
});

test("formulas are read as they are written", () => {
  expect(evaluateFormula("2·T + 1 − b", { T: 5, b: 4 })).toBe(7);
  expect(evaluateFormula("(T/n + n)·|w|", { T: 12, n: 4, "|w|": 3 })).toBe(21);
  expect(() => evaluateFormula("T·x", { T: 1 })).toThrow("x");
  expect(() => evaluateFormula("2T", { T: 1 })).toThrow("T");
});

/** Names exported from rules/ whose function returns a Rule. */
function exportedFactories(index: string): string[] {
  const lines = index.matchAll(/export \{([^}]*)\} from "(\.\/[^"]+)";/g);
  return [...lines].flatMap(([, names, file]) => {
    const text = readFileSync(new URL(file!, door), "utf8");
    return names!
      .split(",")
      .map((name) => name.trim())
      .filter((name) => isFactory(text, name));
  });
}

function isFactory(text: string, name: string): boolean {
  const result = new RegExp(`export function ${name}\\([\\s\\S]*?\\): (\\w+)`).exec(text);
  return result?.[1] === "Rule";
}
