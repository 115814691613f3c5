import { describe, expect, test } from "vitest";
import { parseTable } from "../../data/tables/reading/read-table.ts";
import { demoTable } from "./demo.ts";

describe("demoTable", () => {
  test("the text reads back as the very table", () => {
    const { csv, table } = demoTable({ rows: 120 });
    const read = parseTable(new TextEncoder().encode(csv), "demo.csv");
    // What was read also knows how its cells were written.
    const columns = read.table.columns.map((column) => ({ ...column, written: undefined }));
    expect({ ...read.table, columns }).toEqual(table);
  });

  test("a seed gives one table, another seed another", () => {
    expect(demoTable({ seed: 3 }).csv).toBe(demoTable({ seed: 3 }).csv);
    expect(demoTable({ seed: 3 }).csv).not.toBe(demoTable({ seed: 4 }).csv);
  });

  test("every column but the target is either informative or noise", () => {
    const { table, informative, noise, target } = demoTable();
    expect(table.rowCount).toBe(300);
    expect([...informative, ...noise, target].toSorted()).toEqual(
      table.columns.map(({ name }) => name).toSorted(),
    );
    expect(informative).toHaveLength(6);
    expect(noise).toHaveLength(41);
  });

  test("least squares on complete rows recovers the stated effects", () => {
    // 4,000 rows: standard errors of the slopes are 0.5/√4000 = 0.008; five of them are allowed.
    const { table, informative } = demoTable({ rows: 4000 });
    const numeric = informative.filter((name) => name !== "signal_group");
    const group = table.columns.find(({ name }) => name === "signal_group")!;
    const column = (name: string): Float64Array => {
      const found = table.columns.find((c) => c.name === name)!;
      if (found.kind !== "numeric") throw new Error(`${name} is not numeric`);
      return found.values;
    };
    const target = column("target");
    const effect = { low: -1.5, medium: 0, high: 1.5 } as Record<string, number>;
    for (const [j, name] of numeric.entries()) {
      let [sum, squares] = [0, 0];
      const values = column(name);
      for (let i = 0; i < values.length; i++) {
        if (group.kind !== "categorical" || group.codes[i]! < 0 || Number.isNaN(values[i]!))
          continue;
        const others = numeric.reduce((total, other, k) => {
          const value = column(other)[i]!;
          return k === j ? total : total + [1, -1, 1, -1, 1][k]! * value;
        }, effect[group.levels[group.codes[i]!]!]!);
        if (Number.isNaN(others)) continue;
        sum += values[i]! * (target[i]! - others);
        squares += values[i]! ** 2;
      }
      expect(Math.abs(sum / squares - [1, -1, 1, -1, 1][j]!)).toBeLessThan(0.04);
    }
  });
});
