import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspectColumns, type ColumnFinding } from "./inspect-columns.ts";
import { randomKey, type RandomStream, randomStream } from "../../random/index.ts";
import type { Column, Table } from "./table.ts";
import { inferTarget } from "./target.ts";

function numeric(name: string, values: ArrayLike<number>, more: object = {}): Column {
  return { kind: "numeric", name, values: Float64Array.from(values), ...more };
}

function text(name: string, cells: readonly (string | null)[]): Column {
  const levels = [...new Set(cells.filter((cell) => cell !== null))];
  const codes = Int32Array.from(cells, (cell) => (cell === null ? -1 : levels.indexOf(cell)));
  return { kind: "categorical", name, codes, levels };
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The findings of a table whose target is the last column. */
function inspect(...columns: Column[]): ColumnFinding[] {
  const last = columns.at(-1)!;
  const rowCount = last.kind === "numeric" ? last.values.length : last.codes.length;
  const table: Table = { source: "data.csv", rowCount, columns };
  return inspectColumns(table, inferTarget(table, "last"));
}

const kinds = (findings: readonly ColumnFinding[]): string[] =>
  findings.map(({ name, kind }) => `${name}: ${kind}`);

/** Two classes that nothing gives away. */
function coins(n: number): Column {
  const stream = randomStream(randomKey(9));
  return text(
    "y",
    range(n).map(() => (stream.uniform() < 0.5 ? "a" : "b")),
  );
}

describe("row numbers without a name", () => {
  const without = { isUnnamed: true };
  const shuffled = (n: number): Int32Array =>
    randomStream(randomKey(1)).shuffle(Int32Array.from(range(n)));
  test.each<[string, Column]>([
    ["from 0", numeric("c1", range(40), without)],
    [
      "from 1",
      numeric(
        "c1",
        range(40).map((i) => i + 1),
        without,
      ),
    ],
    ["of shuffled rows", numeric("c1", shuffled(40), without)],
    [
      "of two tables, one below the other",
      numeric(
        "c1",
        range(60).map((i) => i % 30),
        without,
      ),
    ],
    ["as pandas reads them", numeric("Unnamed: 0", range(40))],
  ])("%s", (_, column) => {
    const n = column.kind === "numeric" ? column.values.length : 0;
    expect(inspect(column, coins(n))).toEqual([
      { name: column.name, kind: "row index", sign: "row numbers without a name" },
    ]);
  });

  test.each<[string, Column, string[]]>([
    [
      "measurements",
      numeric(
        "c1",
        range(40).map((i) => Math.sin(i)),
        without,
      ),
      [],
    ],
    [
      "codes",
      numeric(
        "c1",
        range(40).map((i) => (i * 7) % 5),
        without,
      ),
      [],
    ],
    ["with a name they are named only", numeric("row", range(40)), ["row: id"]],
  ])("not: %s", (_, column, expected) => {
    expect(kinds(inspect(column, coins(40)))).toEqual(expected);
  });
});

describe("ids", () => {
  const uuid = (i: number): string =>
    `${(i * 7919).toString(16).padStart(8, "0")}-aaaa-4bbb-8ccc-0123456789ab`;
  test.each<[string, Column]>([
    [
      "ascending",
      numeric(
        "a",
        range(40).map((i) => 1000 + 3 * i),
      ),
    ],
    [
      "whole numbers in any order",
      numeric(
        "a",
        range(40).map((i) => (i * 7919) % 100_003),
      ),
    ],
    [
      "a number column that may as well be measured",
      numeric(
        "income",
        range(40).map((i) => (i * 7919) % 100_003),
      ),
    ],
    ["UUIDs", text("a", range(40).map(uuid))],
    [
      "UUIDs that repeat",
      text(
        "a",
        range(40).map((i) => uuid(i % 10)),
      ),
    ],
    [
      "different texts",
      text(
        "a",
        range(40).map((i) => `K${i * 17}`),
      ),
    ],
    [
      "almost all different",
      text(
        "a",
        range(40).map((i) => `K${Math.max(1, i)}`),
      ),
    ],
    [
      "a name that says so",
      numeric(
        "customer_id",
        range(60).map((i) => (i * 7) % 20),
      ),
    ],
    [
      "another such name",
      numeric(
        "customerId",
        range(60).map((i) => (i * 7) % 20),
      ),
    ],
  ])("%s", (_, column) => {
    const n = column.kind === "numeric" ? column.values.length : column.codes.length;
    expect(kinds(inspect(column, coins(n)))).toEqual([`${column.name}: id`]);
  });

  test.each<[string, Column]>([
    [
      "decimal numbers",
      numeric(
        "a",
        range(40).map((i) => i + 0.5),
      ),
    ],
    [
      "whole numbers that repeat",
      numeric(
        "grid",
        range(40).map((i) => (i * 7) % 20),
      ),
    ],
    ["a dozen rows", numeric("a", range(12))],
    ["dates", numeric("day", range(40), { format: { kind: "date" } })],
  ])("not: %s", (_, column) => {
    const n = column.kind === "numeric" ? column.values.length : 0;
    expect(inspect(column, coins(n))).toEqual([]);
  });

  test("a table of counts is not full of ids", () => {
    const counts = range(12).map((j) =>
      numeric(
        `count ${j}`,
        range(40).map((i) => ((i + 1) * (7919 + 104 * j)) % 100_003),
      ),
    );
    expect(kinds(inspect(...counts, numeric("user id", range(40)), coins(40)))).toEqual([
      "user id: id",
    ]);
  });
});

/** Numbers or classes that are drawn at random, as targets. */
function randomTarget(stream: RandomStream, n: number, classes: number): Column {
  const draw = (): string => `class ${stream.integer(classes)}`;
  return text(
    "y",
    [...range(classes), ...range(classes), ...range(classes)]
      .map((k) => `class ${k}`)
      .concat(range(n).map(draw)),
  );
}

describe("columns that give the answer away", () => {
  test("sorted rows: an index, an id and a text of the class, each by its kind", () => {
    const n = 120;
    const stream = randomStream(randomKey(3));
    const label = (i: number): string => (i < n / 2 ? "a" : "b");
    const findings = inspect(
      numeric("c1", range(n), { isUnnamed: true }),
      numeric(
        "id",
        range(n).map((i) => 500 + 2 * i),
      ),
      numeric(
        "x",
        range(n).map(() => stream.normal()),
      ),
      text(
        "outcome",
        range(n).map((i) => (i < n / 2 ? "lost" : "won")),
      ),
      text("y", range(n).map(label)),
    );
    expect(kinds(findings)).toEqual(["c1: row index", "id: id", "id: answer", "outcome: answer"]);
    expect(findings.at(-1)!.sign).toBe("alone gives 100 % of the classes right");
  });

  test("any recoding of classes, as text or as numbers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.integer({ min: 2, max: 8 }),
        (seed, k) => {
          const stream = randomStream(randomKey(seed));
          const y = randomTarget(stream, 60, k) as Column & { kind: "categorical" };
          const codes = stream.shuffle(Int32Array.from(range(k)));
          const findings = inspect(
            numeric(
              "code",
              y.codes.map((code) => codes[code]! * 3 + 1),
            ),
            text(
              "word",
              [...y.codes].map((code) => `w${codes[code]}`),
            ),
            numeric(
              "near",
              Array.from(y.codes, (code) => codes[code]! + 0.3 * (stream.uniform() - 0.5)),
            ),
            y,
          );
          expect(kinds(findings)).toEqual(["code: answer", "word: answer", "near: answer"]);
        },
      ),
      { seed: 11, numRuns: 40 },
    );
  });

  test("any increasing function of a number, with or without noise of a twentieth", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const stream = randomStream(randomKey(seed));
        const y = range(80).map(() => stream.normal());
        const findings = inspect(
          numeric(
            "line",
            y.map((v) => 5 - 3e6 * v),
          ),
          numeric(
            "exp",
            y.map((v) => Math.exp(3 * v)),
          ),
          numeric(
            "cube",
            y.map((v) => v ** 3),
          ),
          numeric(
            "noisy",
            y.map((v) => 32 + 1.8 * v + 0.09 * stream.normal()),
          ),
          numeric(
            "other",
            y.map(() => stream.normal()),
          ),
          numeric("y", y),
        );
        expect(kinds(findings)).toEqual([
          "line: answer",
          "exp: answer",
          "cube: answer",
          "noisy: answer",
        ]);
      }),
      { seed: 12, numRuns: 40 },
    );
  });

  test("a relation that is no line, and bands of a number", () => {
    const x = range(200).map((i) => i / 20 - 5);
    const findings = inspect(
      numeric("x", x),
      text(
        "band",
        x.map((v) => `band ${Math.floor((v * v) / 2)}`),
      ),
      numeric(
        "y",
        x.map((v) => v * v),
      ),
    );
    expect(kinds(findings)).toEqual(["x: answer", "band: answer"]);
    expect(findings[0]!.sign).toMatch(/^alone predicts the target with R² (1|0\.99\d*)$/);
  });

  test("which cells are missing can be the answer, and so can the cells that are not", () => {
    const y = range(100).map((i) => (i % 3 === 0 ? "no" : "yes"));
    const findings = inspect(
      numeric(
        "closed",
        y.map((label, i) => (label === "no" ? NaN : (i * 37) % 11)),
      ),
      text(
        "why",
        y.map((label, i) => (i % 4 === 1 ? null : label)),
      ),
      text("y", y),
    );
    expect(kinds(findings)).toEqual(["closed: answer", "why: answer"]);
  });

  test("an honest column that is nearly perfect is named, with its share; a good one is not", () => {
    const y = range(400).map((i) => i % 2);
    const flipped = (every: number): string[] =>
      y.map((v, i) => ((i + 1) % every === 0 ? "ab"[1 - v]! : "ab"[v]!));
    const findings = inspect(
      text("near", flipped(100)),
      text("good", flipped(10)),
      text(
        "y",
        y.map((v) => `class ${v}`),
      ),
    );
    expect(findings).toEqual([
      { name: "near", kind: "answer", sign: "alone gives 99 % of the classes right" },
    ]);
  });

  test("a rare class is not given away by what is right for the others", () => {
    const y = range(1000).map((i) => (i % 50 === 0 ? "rare" : "usual"));
    expect(
      inspect(
        text(
          "constant",
          y.map(() => "x"),
        ),
        text("y", y),
      ),
    ).toEqual([]);
  });

  test("unrelated columns are not named, also in small and in wide tables", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 10, max: 80 }),
        (seed, k, n) => {
          const stream = randomStream(randomKey(seed));
          const y = randomTarget(stream, n, k) as Column & { kind: "categorical" };
          const rows = range(y.codes.length);
          const columns = range(20).map((j) =>
            j % 2 === 0
              ? numeric(
                  `x${j}`,
                  rows.map(() => stream.normal()),
                )
              : text(
                  `x${j}`,
                  rows.map(() => `l${stream.integer(2 + j)}`),
                ),
          );
          expect(kinds(inspect(...columns, y))).toEqual([]);
          const numbers = numeric(
            "z",
            rows.map(() => stream.normal()),
          );
          expect(kinds(inspect(...columns, numbers))).toEqual([]);
        },
      ),
      { seed: 13, numRuns: 60 },
    );
  });
});
