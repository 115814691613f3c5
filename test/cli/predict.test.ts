// `stackelberg predict` on files that differ from the training file: ids, targets, unknown levels, other columns.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const run = (...words: string[]): ReturnType<typeof stackelberg> =>
  stackelberg(["predict", "model", ...words], { cwd: folder });

beforeAll(async () => {
  const lines = Array.from({ length: 80 }, (_, i) => {
    const size = Math.sin(12.9898 * (i + 1));
    return `${size.toFixed(3)},${["EU", "AS"][i % 2]},${size > 0 ? "01" : "1"}`;
  });
  writeFileSync(join(folder, "train.csv"), ["size,region,class", ...lines, ""].join("\n"));
  const words = ["--target", "class", "--task", "binary", "--repeats", "1", "--steps", "1"];
  const tuned = await stackelberg(["tune", "train.csv", ...words, "--out", "model", "--quiet"], {
    cwd: folder,
  });
  expect(tuned).toMatchObject({ exitCode: 0, stderr: "" });
});

test("the id is carried as written, the target scores, and what is unknown is counted", async () => {
  writeFileSync(
    join(folder, "new.csv"),
    "key,note,class,region,size\n007,x,01,EU,0.9\n1E5,y,1,US,-0.9\nNA,z,2,US,-0.8\n0010,,,AS,\n",
  );
  const done = await run("new.csv", "--id", "key");
  expect(done.exitCode).toBe(0);
  const [header, ...rows] = done.stdout.trimEnd().split("\n");
  expect(header).toBe("key,prediction,probability_01,probability_1");
  expect(rows.map((row) => row.split(",").slice(0, 2).join())).toEqual([
    "007,01",
    "1E5,1",
    "NA,1",
    expect.stringMatching(/^0010,0?1$/),
  ]);
  expect(done.stderr).toContain('1 column of new.csv is not used by the model: "note".\n');
  expect(done.stderr).toMatch(/\nregion +2 of 4 rows +"US"\n/);
  expect(done.stderr).toMatch(/\nsize +1 of 4 rows +the median of the training rows\n/);
  expect(done.stderr).toMatch(/\nscored by "class" +2 rows\n-+\n/);
  expect(done.stderr).toMatch(/\naccuracy +1\.000\n/);
  expect(done.stderr).toContain(
    'Not scored: 1 row without a target, 1 row with a class that the model does not know, "2".',
  );
});

test("numbers far outside the training range are counted, and names in another case are matched", async () => {
  writeFileSync(join(folder, "far.csv"), "Size,REGION\n0.5,EU\n90,AS\n-1.5,EU\n-70,EU\n");
  const done = await run("far.csv");
  expect(done.exitCode).toBe(0);
  expect(done.stdout.trimEnd().split("\n")).toHaveLength(5);
  expect(done.stderr).toContain(
    'are taken for the same: "Size" for "size", "REGION" for "region".',
  );
  expect(done.stderr).toMatch(/\nsize +2 of 4 rows +90\S* +-1\.0\S* to \S+\n/);
  expect(done.stderr).toContain("far outside the training range");
});

test("a file without names is refused with --no-header, which takes the model's order", async () => {
  writeFileSync(join(folder, "bare.csv"), "0.5,EU\n-0.5,AS\n");
  const refused = await run("bare.csv");
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^stackelberg: [^\n]+ --no-header\.\n$/);
  const done = await run("bare.csv", "--no-header");
  expect(done.exitCode).toBe(0);
  expect(
    done.stdout
      .split("\n")
      .slice(1, 3)
      .map((row) => row.split(",")[0]),
  ).toEqual(["01", "1"]);
});

test("an input can be the id, by its place too; without the target nothing is scored", async () => {
  writeFileSync(join(folder, "plain.csv"), "size,region\n0.50,EU\n-0.50,AS\n");
  const done = await run("plain.csv", "--id", "1", "--out", "out.csv");
  expect(done).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  const rows = readFileSync(join(folder, "out.csv"), "utf8").split("\n");
  expect(rows[0]).toBe("size,prediction,probability_01,probability_1");
  expect(rows[1]).toMatch(/^0\.50,01,/);
});

test.each([
  [["train.csv", "--id", "regin"], /no column "regin"; perhaps "region"/],
  [["clash.csv", "--id", "prediction"], /--id prediction: the output has a column of that name/],
])("refused in one line: %j", async (words, message) => {
  writeFileSync(join(folder, "clash.csv"), "size,region,prediction\n1,EU,a\n");
  const refused = await run(...words);
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^stackelberg: [^\n]+\n$/);
  expect(refused.stderr).toMatch(message);
});
