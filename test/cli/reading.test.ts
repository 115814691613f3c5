// Tables as people have them, from the file to the predictions: what is read, what is said, what comes out.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { randomKey, randomStream } from "../../src/random/index.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const write = (name: string, contents: string | Uint8Array): void =>
  writeFileSync(join(folder, name), contents);
const lines = (header: string, count: number, row: (i: number) => string): string =>
  `${[header, ...Array.from({ length: count }, (_, i) => row(i))].join("\n")}\n`;

const uniform = randomStream(randomKey(1, "tables as people have them"));
/** Uniform in [0, 1), of six digits. */
const draw = (): number => Math.round(uniform.uniform() * 1e6) / 1e6;

/** Tunes on one split; what it said, and the best test R² or accuracy of its methods. */
async function tune(
  file: string,
  words: readonly string[],
): Promise<{ said: string; best: (metric: string) => number; rows: number; result: Result }> {
  const short = ["--repeats", "1", "--steps", "40", "--out", `${file}-out`, "--force"];
  const { exitCode, stderr } = await stackelberg(["tune", file, ...words, ...short], {
    cwd: folder,
  });
  expect(stderr).not.toContain("internal error");
  expect(exitCode, stderr).toBe(0);
  const text = readFileSync(join(folder, `${file}-out`, "result.json"), "utf8");
  const result = JSON.parse(text) as Result;
  const best = (metric: string): number =>
    Math.max(...result.methods.map((method) => method.test[metric]!.mean));
  return { said: stderr, best, rows: result.rows.total, result };
}

interface Result {
  rows: { total: number };
  target: { classes?: string[] };
  inputs: { name: string; kind: string }[];
  methods: { test: Record<string, { mean: number }> }[];
}

/** The predictions for a file, and what was said about it. */
async function predict(
  model: string,
  file: string,
  words: readonly string[] = [],
): Promise<{ predictions: string[]; said: string }> {
  const { exitCode, stdout, stderr } = await stackelberg(
    ["predict", `${model}-out`, file, ...words],
    { cwd: folder },
  );
  expect(exitCode, stderr).toBe(0);
  const rows = stdout.trimEnd().split("\n").slice(1);
  return { predictions: rows.map((row) => row.split(",")[0]!), said: stderr };
}

describe("tables of a spreadsheet", () => {
  const places = Array.from({ length: 60 }, () => ({
    size: Math.round(300 + 1000 * draw()) / 10,
    rooms: 1 + Math.floor(5 * draw()),
  }));
  const rent = ({ size, rooms }: { size: number; rooms: number }): number => 9 * size + 30 * rooms;
  const comma = (value: number, digits: number): string =>
    value
      .toFixed(digits)
      .replace(".", ",")
      .replaceAll(/\B(?=(\d{3})+,)/g, ".");
  const german = lines("Fläche;Zimmer;Miete;;", 60, (i) => {
    const place = places[i]!;
    return `${comma(place.size, 1)};${place.rooms};${comma(rent(place), 2)} €;;`;
  });

  test("decimal commas, thousands, a currency, empty columns and rows, in Windows-1252", async () => {
    const text = `${german};;;;\n;;;;\n`.replaceAll("€", "\u0080");
    write("rent.csv", Buffer.from(text, "latin1"));
    const { said, best, rows, result } = await tune("rent.csv", ["--target", "Miete"]);
    expect(rows).toBe(60);
    expect(best("r2")).toBeGreaterThan(0.99);
    expect(result.inputs.map(({ name }) => name)).toEqual(["Fläche", "Zimmer"]);
    expect(said).toContain("The encoding is windows-1252 (detected");
    expect(said).toContain('"Fläche": decimal commas.');
    expect(said).toContain('decimal commas, points between thousands, the unit "€"');
    expect(said).toContain("2 columns without a name and without a cell are left out.");
    expect(said).toContain("2 rows without a cell at the end are left out.");
  });

  test("predict reads the new file as the training file was read", async () => {
    write("rent-new.csv", "Zimmer;Fläche\n2;50,5\n");
    write("rent-point.csv", "Zimmer,Fläche\n2,50.5\n");
    const local = await predict("rent.csv", "rent-new.csv");
    const point = await predict("rent.csv", "rent-point.csv");
    expect(point.predictions).toEqual(local.predictions);
    const exact = rent({ size: 50.5, rooms: 2 });
    // Coefficients shrink a prediction a little; a number read wrongly is off by a power of ten.
    expect(Math.abs(Number(local.predictions[0]) / exact - 1)).toBeLessThan(0.25);
  });
});

test("placeholders among numbers are missing cells, counted and named", async () => {
  const words = ["#N/A", "-", "<0.5"];
  write(
    "sensors.csv",
    lines("a,b,c,y", 90, (i) => {
      const cells = [draw() * 30, draw() * 30, draw() * 30];
      const texts = cells.map((cell) => cell.toFixed(2));
      if (i % 30 === 5) texts[i % 3] = words[i % 3]!;
      if (i % 30 === 6) texts[1] = words[1]!;
      return `${texts.join(",")},${(2 * cells[0]! - cells[1]! + cells[2]!).toFixed(2)}`;
    }),
  );
  const { said, best, result } = await tune("sensors.csv", ["--target", "y"]);
  expect(result.inputs.map(({ kind }) => kind)).toEqual(["numeric", "numeric", "numeric"]);
  expect(best("r2")).toBeGreaterThan(0.5);
  expect(said).toContain(
    'Cells that are no numbers are taken as missing in "b" 3 ("-"), "c" 3 ("<0.5")',
  );
});

describe("labels come out as they were written", () => {
  test.each<[labels: string[]]>([
    [["1", "01", "001"]],
    [["1E5", "2.0", "9007199254740992", "9007199254740993"]],
    [["None", "NA", "null"]],
  ])("%j", async (labels) => {
    const names = labels.map((_, k) => `x${k}`);
    write(
      "labels.csv",
      lines(
        `${names.join(",")},label`,
        60,
        (i) =>
          `${labels.map((_, k) => (k === i % labels.length ? 3 : draw()).toFixed(3)).join(",")},${labels[i % labels.length]!}`,
      ),
    );
    const { rows, result } = await tune("labels.csv", ["--target", "label"]);
    expect(rows).toBe(60);
    expect(result.target.classes).toEqual([...labels].sort());
    write(
      "labels-new.csv",
      lines(names.join(","), labels.length, (i) =>
        names.map((_, k) => (k === i ? 3 : 0.5)).join(","),
      ),
    );
    const { predictions } = await predict("labels.csv", "labels-new.csv");
    expect(predictions).toEqual(labels);
  });
});

test("levels written as other numbers are the same, and missing ones are not", async () => {
  write(
    "levels.csv",
    lines(
      "zone,fare,answer",
      90,
      (i) =>
        `${1 + (i % 3)},${(draw() * 9).toFixed(2)},${i % 3 === 0 || i % 6 === 1 ? "yes" : "no"}`,
    ),
  );
  await tune("levels.csv", ["--target", "answer", "--categorical", "zone"]);
  write("levels-new.csv", "zone,fare\n1,4\n3,4\n");
  write("levels-floats.csv", "fare,zone\n4.0,1.0\n4.0,3.0\n4.0,4.0\n");
  const { predictions } = await predict("levels.csv", "levels-new.csv");
  const floats = await predict("levels.csv", "levels-floats.csv");
  expect(predictions).toEqual(["yes", "no"]);
  expect(floats.predictions.slice(0, 2)).toEqual(predictions);
  expect(floats.said).toContain('taken for the same, "1.0" for "1", "3.0" for "3"');
});

describe("headers", () => {
  test("are found by the target's name and by the model's, where every column is text", async () => {
    const odors = ["almond", "foul", "anise", "musty"];
    const caps = ["bell", "flat", "conic"];
    write(
      "text.csv",
      lines(
        "cap,odor,edible",
        80,
        (i) => `${caps[i % 3]!},${odors[i % 4]!},${i % 2 === 0 ? "yes" : "no"}`,
      ),
    );
    const { rows } = await tune("text.csv", ["--target", "edible"]);
    expect(rows).toBe(80);
    write("text-new.csv", "cap,odor\nbell,musty\n");
    expect((await predict("text.csv", "text-new.csv")).predictions).toEqual(["no"]);
  });

  test("may be numbers: the name that is asked for decides", async () => {
    write(
      "numbers.csv",
      lines("0,1,2", 60, () => {
        const [a, b] = [draw(), draw()];
        return `${a.toFixed(4)},${b.toFixed(4)},${(2 * a - b).toFixed(4)}`;
      }),
    );
    const { rows, best, result } = await tune("numbers.csv", ["--target", "2"]);
    expect(rows).toBe(60);
    expect(best("r2")).toBeGreaterThan(0.99);
    expect(result.inputs.map(({ name }) => name)).toEqual(["0", "1"]);
    write("numbers-new.csv", "0,1\n1,0\n0,1\n");
    const { predictions } = await predict("numbers.csv", "numbers-new.csv");
    // Shrunk a little by the coefficients.
    expect(Math.abs(Number(predictions[0]) - 2)).toBeLessThan(0.4);
    expect(Math.abs(Number(predictions[1]) + 1)).toBeLessThan(0.4);
  });
});

describe("dates", () => {
  const day = (i: number, write: (y: string, m: string, d: string) => string): string => {
    const [y, m, d] = new Date(Date.UTC(2023, 0, 1 + 3 * i)).toISOString().slice(0, 10).split("-");
    return write(y!, m!, d!);
  };

  test.each<[name: string, form: (y: string, m: string, d: string) => string, words: string]>([
    ["iso", (y, m, d) => `${y}-${m}-${d}`, "dates, year first"],
    ["american", (y, m, d) => `${Number(m)}/${Number(d)}/${y} 6:00 AM`, "dates, month first"],
  ])("%s", async (name, form, words) => {
    const file = `${name}.csv`;
    write(
      file,
      lines("day,sales", 80, (i) => `${day(i, form)},${(100 + 1.5 * i + draw()).toFixed(2)}`),
    );
    const { said, best, result } = await tune(file, ["--target", "sales"]);
    expect(best("r2")).toBeGreaterThan(0.99);
    expect(result.inputs).toMatchObject([{ name: "day", kind: "numeric" }]);
    expect(said).toContain(`"day": ${words}.`);
    // One row, whose day and month could be swapped, is read in the order that the model learned.
    write(`${name}-new.csv`, `day\n${form("2023", "03", "02")}\n`);
    const { predictions } = await predict(file, `${name}-new.csv`);
    expect(Math.abs(Number(predictions[0]) - 130)).toBeLessThan(10);
  });

  test("model.onnx takes them as days, and says so", async () => {
    const model = JSON.parse(readFileSync(join(folder, "iso.csv-out", "model.json"), "utf8")) as {
      onnx: { inputs: object[] };
      encoder: { inputs: object[] };
    };
    expect(model.onnx.inputs).toMatchObject([{ column: "day", unit: "days since 1970-01-01" }]);
    expect(model.encoder.inputs).toMatchObject([{ format: { kind: "date", order: "ymd" } }]);
    const { predictions } = await predict("iso.csv", "iso-new.csv");
    const days = Date.UTC(2023, 2, 2) / 86_400_000;
    const session = await ort.InferenceSession.create(join(folder, "iso.csv-out", "model.onnx"));
    const { prediction } = await session.run({
      day: new ort.Tensor("float64", Float64Array.of(days), [1, 1]),
    });
    // Predictions are printed with nine digits or more.
    expect(Number(prediction!.data[0])).toBeCloseTo(Number(predictions[0]), 5);
  });

  test("that allow two orders are named, and --date decides", async () => {
    write(
      "open.csv",
      lines("day,y", 60, (i) => `${1 + (i % 12)}/${1 + (Math.floor(i / 12) % 5)}/2023,${i}`),
    );
    const assumed = await tune("open.csv", ["--target", "y"]);
    expect(assumed.said).toMatch(/"day": dates, month first, assumed, .*--date sets it/);
    const given = await tune("open.csv", ["--target", "y", "--date", "dmy"]);
    expect(given.said).toContain('"day": dates, day first.');
  });
});

test("a file that is not clear is refused with the option that helps", async () => {
  write("greek.csv", Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0xe1, 0xeb, 0xf6, 0x2c, 0x31, 0x0a]));
  write("ragged.csv", "a,b,c\n1,2,3\n4,5\n6,7,8\n");
  const refusal = async (file: string): Promise<string> => {
    const { exitCode, stderr } = await stackelberg(["tune", file, "--target", "b"], {
      cwd: folder,
    });
    expect(exitCode).toBe(2);
    return stderr;
  };
  expect(await refusal("greek.csv")).toContain("--encoding");
  expect(await refusal("ragged.csv")).toContain("--drop-ragged");
});
