import { describe, expect, test } from "vitest";
import { UsageError } from "./errors.ts";
import {
  checkSettings,
  defaultOutputFolder,
  parseBytes,
  parseDelimiter,
  parseDuration,
  parseFraction,
  parseNames,
  parseSeed,
  parseThreads,
  parseWhole,
  reproduceCommand,
  type TuneSettings,
} from "./options.ts";

const settings: TuneSettings = {
  target: "income",
  holdout: 0.2,
  validation: 0.2,
  seed: 0,
  repeats: 5,
  steps: 60,
  device: "cpu",
  categorical: [],
  numeric: [],
};

describe("values", () => {
  test("durations need a unit", () => {
    const read = (text: string): number => parseDuration("--budget", text);
    expect(["500ms", "60s", "2m", "2min", "1.5h", " 3 s"].map(read)).toEqual([
      0.5, 60, 120, 120, 5400, 3,
    ]);
    for (const text of ["60", "", "s", "-1s", "0s", "1d", "1e3s", "NaNs"]) {
      expect(() => read(text)).toThrow(/--budget must be a time above 0 with its unit/);
    }
  });

  test("fractions lie strictly between 0 and 1", () => {
    expect(parseFraction("--holdout", "0.25")).toBe(0.25);
    expect(parseFraction("--holdout", ".1")).toBe(0.1);
    for (const text of ["0", "1", "-0.2", "20%", "abc", "", "0x1", "Infinity"]) {
      expect(() => parseFraction("--holdout", text)).toThrow(UsageError);
    }
  });

  test("whole numbers and seeds", () => {
    expect(parseWhole("--repeats", "12", 1)).toBe(12);
    for (const text of ["0", "1.5", "-3", "1e2", "", "twelve"]) {
      expect(() => parseWhole("--repeats", text, 1)).toThrow(/at least 1/);
    }
    expect(parseSeed("--seed", "4294967295")).toBe(4294967295);
    expect(() => parseSeed("--seed", "4294967296")).toThrow(/at most/);
  });

  test("threads are bounded by the machine", () => {
    expect(parseThreads("--threads", "2")).toBe(2);
    expect(() => parseThreads("--threads", "0")).toThrow(/at least 1/);
    expect(() => parseThreads("--threads", "50000")).toThrow(/50000 is too many: this machine has/);
  });

  test("names may hold escaped commas", () => {
    expect(parseNames("--numeric", "a, b\\,c ,d")).toEqual(["a", "b,c", "d"]);
    expect(() => parseNames("--numeric", " , ")).toThrow(UsageError);
  });

  test("sizes are in powers of ten", () => {
    const read = (text: string): number => parseBytes("--max-unpacked", text);
    expect(["1GB", "2.5 mb", "500k", "1000000"].map(read)).toEqual([1e9, 2.5e6, 5e5, 1e6]);
    for (const text of ["", "0", "-1MB", "1TB", "1MiB", "lots"]) {
      expect(() => read(text)).toThrow(
        /--max-unpacked must be a size above 0 with its unit, such as/,
      );
    }
  });

  test("delimiters are one character", () => {
    expect(["tab", "\\t", ";"].map((text) => parseDelimiter("--delimiter", text))).toEqual([
      "\t",
      "\t",
      ";",
    ]);
    for (const text of ["", "ab", '"', "\n"]) {
      expect(() => parseDelimiter("--delimiter", text)).toThrow(UsageError);
    }
  });
});

test("options that contradict each other are refused", () => {
  expect(() => checkSettings(settings)).not.toThrow();
  expect(() => checkSettings({ ...settings, holdout: 0.6, validation: 0.4 })).toThrow(/below 1/);
  expect(() => checkSettings({ ...settings, folds: 5 })).toThrow(/exclude each other/);
  expect(() => checkSettings({ ...settings, categorical: ["a"], numeric: ["a"] })).toThrow(/both/);
  expect(() => checkSettings({ ...settings, numeric: ["income"] })).toThrow(/is the target/);
});

test("the default output folder is named after the file", () => {
  expect(defaultOutputFolder("/data/adult.csv.gz")).toBe("stackelberg-adult");
  expect(defaultOutputFolder("my.table.tsv")).toBe("stackelberg-my.table");
  expect(defaultOutputFolder("plain")).toBe("stackelberg-plain");
});

test("the command to reproduce survives a shell", () => {
  const command = reproduceCommand("my data.csv", {
    ...settings,
    target: "$(rm -rf)",
    header: false,
    delimiter: "\t",
    maxUnpacked: 1e9,
    categorical: ["a,b", "c"],
    budgetSeconds: 0.5,
    exclude: ["-x", "y"],
    minClass: 4,
  });
  expect(command.replace(/^.* tune /, "")).toBe(
    "'my data.csv' --target '$(rm -rf)' --holdout 0.2 --validation 0.2 --seed 0 " +
      "--repeats 5 --steps 60 --budget 0.5s --device cpu --no-header --delimiter tab --max-unpacked 1000000000 --categorical 'a\\,b,c' " +
      "--exclude=-x,y --min-class 4 --out 'stackelberg-my data-again'",
  );
});
