import { describe, expect, test } from "vitest";
import { parseTable } from "./reading/read-table.ts";
import { DataError } from "../data-error.ts";
import type { Table } from "./table.ts";
import { inferTarget, standardizeTarget, type Task } from "./target.ts";

/** A table with an input column x and the target y; null is a missing target. */
function tableOf(targets: readonly (string | number | null)[]): Table {
  const lines = targets.map((target, i) => `${i},${target === null ? "" : `"${target}"`}`);
  const bytes = new TextEncoder().encode(["x,y", ...lines].join("\n"));
  return parseTable(bytes, "data.csv", { header: true }).table;
}

const repeat = <T>(values: readonly T[], times: number): T[] =>
  Array.from({ length: times }, () => values).flat();

describe("the task follows from the column", () => {
  const whole = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  test.each<[name: string, targets: (string | number)[], task: Task]>([
    ["two texts", repeat([">50K", "<=50K"], 5), "binary"],
    ["three texts", repeat(["a", "b", "c"], 5), "multiclass"],
    ["two whole numbers", repeat([2, 4], 5), "binary"],
    ["twenty whole numbers", repeat(whole(20), 5), "multiclass"],
    ["twenty-one whole numbers", repeat(whole(21), 5), "regression"],
    ["two numbers that are not whole", repeat([0.5, 1.5], 5), "regression"],
    ["one number that is not whole", [...repeat([1, 2], 5), 2.5], "regression"],
  ])("%s", (_, targets, task) => {
    const inferred = inferTarget(tableOf(targets), "y");
    expect(inferred.target.task).toBe(task);
    expect(inferred.notes[0]).toContain(`the task is ${task} (inferred)`);
  });
});

test("classes are in code-unit order and values are their indices", () => {
  const { target, values } = inferTarget(tableOf(repeat([">50K", "<=50K", "é", "Z", "a"], 5)), "y");
  expect(target).toEqual({
    task: "multiclass",
    name: "y",
    classes: ["<=50K", ">50K", "Z", "a", "é"],
  });
  expect([...values.slice(0, 5)]).toEqual([1, 0, 4, 2, 3]);
});

test("rows without a target are left out", () => {
  const { values, rows, notes } = inferTarget(tableOf([...repeat(["a", null, "b"], 5)]), "y");
  expect([...rows]).toEqual([0, 2, 3, 5, 6, 8, 9, 11, 12, 14]);
  expect([...values.slice(0, 3)]).toEqual([0, NaN, 1]);
  expect(notes[0]).toBe('5 rows are left out: no value in the target "y".');
});

test("the target by position", () => {
  const table = tableOf(repeat([1, 2], 5));
  for (const name of ["y", "2", "last"]) expect(inferTarget(table, name).target.name).toBe("y");
  expect(inferTarget(table, "x", "regression").target.name).toBe("x");
});

test("a regression has mean and scale of all rows, or of those given", () => {
  const { target, values } = inferTarget(tableOf([1, 2, null, 3, 6.5]), "y");
  expect(target).toEqual({
    task: "regression",
    name: "y",
    mean: 3.125,
    scale: expect.closeTo(2.0728905, 6),
  });
  expect(standardizeTarget(target, values, Int32Array.of(0, 3))).toEqual({
    task: "regression",
    name: "y",
    mean: 2,
    scale: 1,
  });
  const classes = inferTarget(tableOf(repeat(["a", "b"], 5)), "y");
  expect(standardizeTarget(classes.target, classes.values, Int32Array.of(0))).toBe(classes.target);
});

describe("rare classes", () => {
  const few = tableOf([...repeat(["a", "b"], 12), ..."ccc", ..."dd", "e", null]);

  test("three rows are enough, and are pointed out", () => {
    const { target, notes } = inferTarget(tableOf([...repeat(["a", "b"], 12), ..."ccc"]), "y");
    expect(target).toMatchObject({ classes: ["a", "b", "c"] });
    expect(notes.at(-1)).toMatch(/^A class has fewer than 10 rows,.*: "c" \(3 rows\)\.$/);
  });

  test("are left out by `minClass`, with their count and names", () => {
    const { target, rows, leftOut, values } = inferTarget(few, "y", undefined, { minClass: 3 });
    expect(target).toMatchObject({ task: "multiclass", classes: ["a", "b", "c"] });
    expect(rows.length).toBe(27);
    expect(leftOut).toEqual([
      { reason: 'no value in the target "y"', count: 1 },
      { reason: '2 classes of fewer than 3 rows, "d", "e"', count: 3 },
    ]);
    expect(values.slice(27).every(Number.isNaN)).toBe(true);
  });

  test("left out to two classes, the task is binary", () => {
    expect(inferTarget(few, "y", undefined, { minClass: 4 }).target.task).toBe("binary");
  });

  test("none may be left", () => {
    expect(() => inferTarget(few, "y", undefined, { minClass: 20 })).toThrow(
      /no class has 20 rows once .* left out \(--min-class\).*smaller --min-class/,
    );
  });

  test("where only classes make sense, whole numbers are classes up to 100", () => {
    const codes = tableOf(
      repeat(
        Array.from({ length: 27 }, (_, i) => i + 1),
        6,
      ),
    );
    expect(inferTarget(codes, "y").target.task).toBe("regression");
    const { target, notes } = inferTarget(codes, "y", undefined, { wantClasses: true });
    expect(target).toMatchObject({ task: "multiclass", classes: { length: 27 } });
    expect(notes[0]).toBe('The target "y" has 27 classes, the task is multiclass (inferred).');
    const ages = tableOf(Array.from({ length: 90 }, (_, i) => i % 60));
    expect(inferTarget(ages, "y", undefined, { wantClasses: true }).target.task).toBe("regression");
  });

  test("a number has none, which is said", () => {
    const { notes } = inferTarget(tableOf([1.5, 2, 3]), "y", undefined, { minClass: 3 });
    expect(notes.at(-1)).toContain("--min-class leaves nothing out");
  });
});

test("tasks can be forced", () => {
  const whole = tableOf(repeat([0, 1], 5));
  expect(inferTarget(whole, "y", "regression").target).toEqual({
    task: "regression",
    name: "y",
    mean: 0.5,
    scale: 0.5,
  });
  expect(inferTarget(whole, "y", "multiclass").target).toEqual({
    task: "multiclass",
    name: "y",
    classes: ["0", "1"],
  });
});

describe("targets that cannot be predicted are one sentence", () => {
  const message = (
    targets: readonly (string | number | null)[],
    name = "y",
    force?: Task,
  ): string => {
    try {
      inferTarget(tableOf(targets), name, force);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(DataError);
      return (thrown as DataError).message;
    }
    return "nothing was thrown";
  };

  test.each<[name: string, actual: () => string, expected: string]>([
    [
      "unknown",
      () => message([1, 2], "z"),
      'data.csv: there is no column "z"; perhaps "x" or "y" is meant.',
    ],
    [
      "unknown and far",
      () => message([1, 2], "income"),
      'data.csv: there is no column "income"; the columns are "x", "y".',
    ],
    [
      "a position outside",
      () => message([1, 2], "30"),
      'data.csv: there is no column "30"; the columns are "x", "y".',
    ],
    [
      "all missing",
      () => message([null, null]),
      'data.csv, target "y": no row has a value; choose another target, or check the words for missing cells.',
    ],
    [
      "one class",
      () => message(["a", "a", null]),
      'data.csv, target "y": every row has the class "a", so there is nothing to predict; choose another target.',
    ],
    [
      "one number",
      () => message([1.5, 1.5]),
      'data.csv, target "y": every row has the value 1.5, so there is nothing to predict; choose another target.',
    ],
    [
      "a rare class",
      () => message([...repeat(["a", "b"], 5), "c", "c"]),
      'data.csv, target "y": every class needs 3 rows, so that each can be learned and judged on others, but class "c" has 2 rows; --min-class 3 leaves rows of smaller classes out.',
    ],
    [
      "a rare number",
      () => message([...repeat([1, 2], 5), 3]),
      'data.csv, target "y": every class needs 3 rows, so that each can be learned and judged on others, but class "3" has 1 row; --min-class 3 leaves rows of smaller classes out, --task regression takes the target as a number.',
    ],
    [
      "too many classes",
      () => message(Array.from({ length: 101 }, (_, i) => `id${i}`)),
      'data.csv, target "y": 101 classes are too many (limit 100); leave rare ones out with --min-class or choose another target.',
    ],
    [
      "too many numbers as classes",
      () =>
        message(
          Array.from({ length: 101 }, (_, i) => i),
          "y",
          "multiclass",
        ),
      'data.csv, target "y": 101 classes are too many (limit 100); force regression (--task regression) or choose another target.',
    ],
    [
      "regression of text",
      () => message(["a", "b"], "y", "regression"),
      'data.csv, target "y": regression needs numbers, the column holds text such as "a"; choose classification or another target.',
    ],
    [
      "three classes as binary",
      () => message(repeat(["a", "b", "c"], 5), "y", "binary"),
      'data.csv, target "y": a binary task needs two classes, the column has 3; use multiclass.',
    ],
    [
      "an unknown task",
      () => message([1, 2], "y", "ranking" as Task),
      'data.csv, target "y": a task is regression, binary or multiclass, not "ranking"; use one of them.',
    ],
  ])("%s", (_, actual, expected) => {
    expect(actual()).toBe(expected);
  });
});

test("classes are the cells as written; those that are one number are pointed out", () => {
  const parse = (text: string): Table => parseTable(new TextEncoder().encode(text), "t.csv").table;
  const table = parse(`x,y\n${"1,1\n2,1.0\n3,2\n".repeat(5)}`);
  const { target, notes } = inferTarget(table, "y");
  expect(target).toMatchObject({ task: "multiclass", classes: ["1", "1.0", "2"] });
  expect(notes.join(" ")).toContain(
    'The classes "1", "1.0" are the same number written differently and are kept apart',
  );
  const large = parse(`x,y\n${"1,9007199254740992\n2,9007199254740993\n".repeat(5)}`);
  expect(inferTarget(large, "y").target).toMatchObject({
    task: "binary",
    classes: ["9007199254740992", "9007199254740993"],
  });
});
