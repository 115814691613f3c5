import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encode, fitEncoder, inferTarget, readTable, splitTarget, type Table } from "../index.ts";

const folder = process.env.STACKELBERG_DATA;
const reason = folder === undefined ? " (needs STACKELBERG_DATA, a folder with tabular/)" : "";

const read = async (name: string): Promise<{ table: Table; notes: string[] }> =>
  readTable(join(folder!, "tabular", name));

const describeColumns = (table: Table): string =>
  table.columns.map(({ kind }) => (kind === "numeric" ? "n" : "c")).join("");

describe.skipIf(folder === undefined)(`real files${reason}`, () => {
  test.each([
    ["adult.data.gz", 32561, "ncncncccccnnncc", "last", "binary"],
    ["wdbc.data", 569, "nc" + "n".repeat(30), "c2", "binary"],
    ["ionosphere.csv", 351, "n".repeat(34) + "c", "35", "binary"],
    ["california-housing.csv.gz", 20640, "n".repeat(9) + "c", "median_house_value", "regression"],
    ["parkinsons.data", 195, "c" + "n".repeat(23), "status", "binary"],
    ["abalone.csv", 4177, "cnnnnnnnn", "last", "regression"],
    ["iris.csv", 150, "nnnnc", "last", "multiclass"],
    ["wine.csv", 178, "n".repeat(14), "last", "multiclass"],
    ["breast-cancer-wisconsin.csv", 699, "n".repeat(10), "last", "binary"],
    ["winequality-red.csv", 1599, "n".repeat(12), "last", "multiclass"],
  ] as const)("%s", async (name, rowCount, kinds, target, task) => {
    const { table } = await read(name);
    expect(table.rowCount).toBe(rowCount);
    expect(describeColumns(table)).toBe(kinds);
    const inferred = inferTarget(table, target);
    expect(inferred.target.task).toBe(task);

    const { train } = splitTarget(inferred, { train: 0.6, validation: 0.2, test: 0.2, seed: 0 });
    const encoder = fitEncoder(table, inferred.target.name, train);
    const matrix = encode(encoder, table, train);
    expect(matrix.length).toBe(train.length * encoder.width);
    expect(matrix.every(Number.isFinite)).toBe(true);
  });

  test("adult: missing cells are text in columns of text unless they are named", async () => {
    const { notes } = await read("adult.data.gz");
    expect(notes).toContain(
      'Words that often mean a missing cell are kept as text in "c2" ("?"), "c7" ("?"), "c14" ("?"); --missing names those that are missing.',
    );
    const named = await readTable(join(folder!, "tabular", "adult.data.gz"), { missing: ["?"] });
    expect(named.notes).toContain('Missing cells: "c2" 1836, "c7" 1843, "c14" 583.');
  });

  test("the first line of adult's test file is not data", async () => {
    await expect(read("adult.test.gz")).rejects.toThrow(
      /line 1: the header has 1 name above rows of 15 cells/,
    );
  });

  test("names of subjects become no columns", async () => {
    const { table } = await read("parkinsons.data");
    const rows = Int32Array.from({ length: table.rowCount }, (_, i) => i);
    expect(fitEncoder(table, "status", rows).dropped).toEqual([
      { name: "name", reason: "195 levels, none of them in 10 training rows" },
    ]);
  });
});
