/** One matrix: every form of every rule on every problem, against the closed form that the cell names. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { matrixPage, matrixPageFile } from "../../scripts/matrix-page.ts";
import { ruleCatalog } from "../../src/bilevel/rules/catalog.ts";
import { disposePrograms } from "../../src/bilevel/index.ts";
import { apply, transpose, type Matrix } from "../bilevel/dense.ts";
import { expectClose } from "../bilevel/evaluate.ts";
import { sinusoidalOptimum, waveOuter } from "../bilevel/problems-without-unique-answer.ts";
import { checkCell } from "./evaluate-cell.ts";
import { plus, type Vector } from "./model.ts";
import type { ProblemName } from "./column.ts";
import { columns } from "./problems.ts";
import { failsOn, isRightOn, rows } from "./rules.ts";

const labelOf = ({ factory, option }: { factory: string; option: string }): string =>
  `${factory} ${option}`.trim();

describe("nothing is missing", () => {
  test("every form of every rule in the catalog has its row", () => {
    const forms = ruleCatalog.flatMap(({ factory, forms }) =>
      forms.map(({ option }) => labelOf({ factory, option })),
    );
    const found = rows.map(labelOf);
    const missing = forms.filter((form) => !found.includes(form));
    expect(missing, `no row in test/matrix/ for: ${missing.join("; ")}`).toEqual([]);
    const unknown = found.filter((label) => !forms.includes(label));
    expect(unknown, `rows that are no form in the catalog: ${unknown.join("; ")}`).toEqual([]);
    expect(new Set(found).size).toBe(found.length);
  });

  test("P1 to P14 have their columns, and every row a cell in each", () => {
    const names = columns.map(({ name }) => name);
    const numbers = new Set(names.flatMap((name) => /^P(\d+)/.exec(name)?.[1] ?? []).map(Number));
    expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    expect(new Set(names).size).toBe(names.length);
    for (const row of rows)
      expect(Object.keys(row.cells).sort(), labelOf(row)).toEqual([...names].sort());
  });

  test("every form is right somewhere, and every problem is solved by some rule", () => {
    for (const { factory } of rows) {
      expect(
        columns.some(({ name }) => isRightOn(factory, name)),
        factory,
      ).toBe(true);
    }
    for (const { name } of columns) {
      expect(
        rows.some(({ factory }) => isRightOn(factory, name)),
        name,
      ).toBe(true);
    }
  });

  test("the counterexamples: the classical rules fail, and those made for them do not", () => {
    const classical = [
      "reverse",
      "forward",
      "truncated",
      "oneStage",
      "implicit",
      "soba",
      "stocBio",
    ];
    for (const problem of ["P7", "P9"] as const) {
      for (const factory of classical)
        expect(failsOn(factory, problem), `${factory} on ${problem}`).toBe(true);
      expect(isRightOn("valuePenalty", problem)).toBe(true);
    }
    for (const factory of ["reverse", "forward", "implicit"])
      expect(failsOn(factory, "P8")).toBe(true);
    for (const [factory, problem] of [
      ["bda", "P7"],
      ["slBamm", "P7"],
      ["iaptt", "P7"],
      ["iaptt", "P8"],
      ["valuePenalty", "P11"],
      ["reverse", "P11"],
    ] as const) {
      expect(isRightOn(factory, problem), `${factory} on ${problem}`).toBe(true);
    }
    expect(failsOn("gradientPenalty", "P11")).toBe(true);
  });

  test("the committed page is current", async () => {
    const current = await matrixPage();
    const committed = readFileSync(matrixPageFile, "utf8");
    expect(committed === current, "docs/matrix.md is out of date; run npm run docs:matrix").toBe(
      true,
    );
  });
});

describe("the columns' own numbers", () => {
  const columnOf = (name: ProblemName) => columns.find((column) => column.name === name)!;

  test.each<[ProblemName, number[]]>([
    ["P1", [-0.15]],
    ["P2", [-0.6346938776, 1.8142857143]],
    ["P3", [-0.0676296296]],
    // 2x − 1 at x = 2.
    ["P5", [3, 3, 3]],
    // x − 1 at x = 0.505.
    ["P7", [-0.495, -0.495]],
    ["P12 free", [1.3]],
    ["P12 bound", [0]],
  ])("%s", (name, gradient) => {
    expectClose([...columnOf(name).exact.gradient], gradient, 1e-9);
  });

  test("P9: the optimum, where the leader's derivative is 0", () => {
    const { model, exact } = columnOf("P9");
    const { x, y } = sinusoidalOptimum(1);
    expectClose([x, y], [2.356194, 4.356194], 1e-6);
    // dy/dx = −1 on the branch.
    expect(model.outer.leader([y])[0]! - model.outer.gradient([y])[0]!).toBeCloseTo(0, 12);
    expect(exact.gradient).toEqual([0]);
  });

  test("P10: the total derivative of E(x, −x), by central differences of fourth order", () => {
    const [x, h] = [0.7, 1e-3];
    const at = (t: number): number => waveOuter(x + t, -x - t);
    const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    // The error is of the order of h⁴ times the fifth derivative, 4⁵ and more.
    expect(columnOf("P10").exact.gradient[0]).toBeCloseTo(slope, 8);
  });

  test.each(columns)(
    "$name: the derivatives by w are those of the values",
    ({ model, start, exact }) => {
      const h = 1e-4;
      for (const level of [model.inner, model.outer]) {
        for (const w of [start, exact.w]) {
          const along = (i: number, f: (w: Vector) => Vector): Vector => {
            const moved = (t: number): Vector => f(w.map((v, k) => (k === i ? v + t : v)));
            return plus(moved(h), -1, moved(-h)).map((v) => v / (2 * h));
          };
          // Second order: h² times a third derivative of at most some hundreds, and rounding / h.
          const gradient = w.map((_, i) => along(i, (w) => [level.value(w)])[0]!);
          expectClose(level.gradient([...w]), gradient, 1e-5);
          const rows: Matrix = w.map((_, i) => along(i, level.gradient));
          expectClose(level.hessian([...w]).flat(), transpose(rows).flat(), 1e-5);
          const cross: Matrix = w.map((_, i) => along(i, level.leader));
          expectClose(level.cross([...w]).flat(), transpose(cross).flat(), 1e-5);
        }
      }
    },
  );

  test.each(columns)(
    "$name: its answer solves the inner problem",
    ({ name, model, exact, projection, moved }) => {
      if (moved)
        return expect(Math.hypot(...model.inner.gradient([...exact.w]))).toBeGreaterThan(1e-6);
      if (name === "init")
        return expect(Math.abs(model.inner.gradient([...exact.w])[0]!)).toBeLessThan(1);
      const gradient = model.inner.gradient([...exact.w]);
      const free = projection ? apply(projection.tangent, gradient) : gradient;
      if (name === "P12 moving") return expect(Math.min(...gradient)).toBeGreaterThan(0);
      for (const g of free) expect(Math.abs(g)).toBeLessThan(1e-12);
    },
  );
});

describe.each(columns)("$name, $title", (column) => {
  afterAll(() => disposePrograms(column.problem));
  test.each(rows.map((row) => ({ row, label: labelOf(row), kind: row.cells[column.name].kind })))(
    "$label: $kind",
    async ({ row }) => {
      await checkCell(row, column);
    },
  );
});
