// `stackelberg clean` as a user runs it: the files, the self-check, refusals, Ctrl-C.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { randomKey, randomStream } from "../../src/data/index.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const stream = randomStream(randomKey(7));
/** Two classes 8 standard deviations apart; the labels of rows 10 and 21 are wrong. */
const wrong = [10, 21];
const lines = Array.from({ length: 60 }, (_, i) => {
  const isUp = i % 2 === 0;
  const label = isUp !== wrong.includes(i + 1) ? "up" : "down";
  return `${((isUp ? 4 : -4) + stream.normal()).toFixed(3)},${stream.normal().toFixed(3)},<${label}>`;
});
writeFileSync(join(folder, "data.csv"), ["a,b,label", ...lines, ""].join("\n"));
const run = (...words: string[]): ReturnType<typeof stackelberg> =>
  stackelberg(["clean", ...words], { cwd: folder });

test("the wrong labels come first, in all three files and on the screen", async () => {
  const words = ["data.csv", "--target", "label", "--top", "5", "--threads", "1"];
  const done = await run(...words, "--quiet");
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
  const out = join(folder, "stackelberg-data-clean");
  expect(readdirSync(out).sort()).toEqual([
    "events.jsonl",
    "ranked.csv",
    "report.html",
    "result.json",
    "settings.json",
  ]);
  // Every file is named with what it is for.
  for (const name of readdirSync(out)) {
    expect(done.stdout).toMatch(new RegExp(`\n  ${name.replace(".", "\\.")} +\\w.+\n`));
  }
  const ranked = readFileSync(join(out, "ranked.csv"), "utf8").trimEnd().split("\n");
  expect(ranked.length).toBe(61);
  expect(ranked[0]).toBe("row,label,suggested,score,probability,influence");
  const first = ranked.slice(1, 3).map((line) => line.split(",").slice(0, 3).join());
  expect(first.sort()).toEqual(["10,<up>,<down>", "21,<down>,<up>"]);
  const result = JSON.parse(readFileSync(join(out, "result.json"), "utf8")) as {
    top: { row: number }[];
    command: string;
  };
  expect(
    result.top
      .map(({ row }) => row)
      .slice(0, 2)
      .sort(),
  ).toEqual(wrong);
  expect(result.command).toContain("main.js clean data.csv --target label --top 5");
  const page = readFileSync(join(out, "report.html"), "utf8");
  expect(page).toContain("&lt;down&gt;");
  expect(page).not.toContain("<down>");
  expect(done.stdout).toMatch(/\n10 +<up> +<down>[^\n]+\n21 +<down> +<up>/);

  const again = await run(...words);
  expect(again.exitCode).toBe(2);
  expect(again.stderr).toMatch(/stackelberg-data-clean exists and is not empty; use --force/);
  await run(...words, "--force");
  expect(readFileSync(join(out, "ranked.csv"), "utf8").trimEnd().split("\n")).toEqual(ranked);
});

test("classes coded as numbers, 27 of them, with and without --task, and a rare one left out", async () => {
  // Two numbers tell each class from its neighbours; row 30 has the label of another class.
  const coded = Array.from({ length: 216 }, (_, i) => {
    const k = i % 27;
    const near = (centre: number): string => (centre + 0.05 * stream.normal()).toFixed(4);
    const label = i === 29 ? 20 : k + 1;
    return `${near(Math.cos((k * 2 * Math.PI) / 27))},${near(Math.sin((k * 2 * Math.PI) / 27))},${label}`;
  });
  writeFileSync(join(folder, "coded.csv"), ["a,b,label", ...coded, "0,0,99", ""].join("\n"));
  const words = ["coded.csv", "--target", "last", "--top", "1", "--folds", "3", "--repeats", "1"];
  const refused = await run(...words, "--quiet");
  expect(refused.stderr).toContain('class "99" has 1 row; --min-class 2 leaves');
  for (const task of [[], ["--task", "multiclass"]]) {
    const done = await run(...words, "--min-class", "2", "--json", "--force", ...task);
    expect(done).toMatchObject({ exitCode: 0 });
    const { classes, top } = JSON.parse(done.stdout) as { classes: []; top: { row: number }[] };
    expect(classes).toHaveLength(27);
    expect(top[0]?.row).toBe(30);
  }
});

test("--plant counts what is found", async () => {
  const words = ["data.csv", "--target", "last", "--plant", "0.1", "--top", "8", "--json"];
  const done = await run(...words, "--out", "planted");
  expect(done.exitCode).toBe(0);
  const { selfCheck } = JSON.parse(done.stdout) as { selfCheck: Record<string, number> };
  // Six planted errors and two that were there; one that strikes a wrong label makes it right.
  expect(selfCheck).toMatchObject({ planted: 6, top: 8, share: 0.1 });
  expect(selfCheck["found"]).toBeGreaterThanOrEqual(4);
  expect(selfCheck["precision"]).toBe(selfCheck["found"]! / 8);
  expect(selfCheck["recall"]).toBe(selfCheck["found"]! / 6);
});

test.each([
  [["data.csv"], /--target is missing/],
  [["data.csv", "--target", "lable"], /no column "lable"; perhaps "label"/],
  [["data.csv", "--target", "a"], /this target is a number/],
  [["missing.csv", "--target", "a"], /missing\.csv/],
  [["data.csv", "--target", "label", "--plant", "1.5"], /--plant must be a fraction/],
  [["data.csv", "--target", "label", "--plant", "0.001"], /no label of 60 rows/],
  [["data.csv", "--target", "label", "--task", "regression"], /must be binary or multiclass/],
  [["data.csv", "--target", "label", "--exclude", "label"], /is the target and named by --exclude/],
  [["data.csv", "--target", "last", "--exclude", "label"], /is the target and named by --exclude/],
  [["data.csv", "--target", "label", "--exclude", "lable"], /no column "lable"; perhaps "label"/],
  [["data.csv", "--target", "label", "--min-class", "40"], /--min-class/],
  [["data.csv", "--target", "label", "--top", "0"], /--top must be a whole number/],
  [["data.csv", "--target", "label", "--folds", "30"], /--folds must be at most 20/],
  [["data.csv", "--target", "label", "--categorical", "a", "--numeric", "a"], /by both/],
  [["data.csv", "--target", "label", "--out", "data.csv"], /is a file/],
])("refused in one line, with nothing written: %j", async (words, message) => {
  const before = readdirSync(folder).sort();
  const refused = await run("--out", "refused", ...words, "--quiet");
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^stackelberg: [^\n]+\n$/);
  expect(refused.stderr).toMatch(message);
  expect(readdirSync(folder).sort()).toEqual(before);
});

test("Ctrl-C ends it with 130 and leaves nothing", async () => {
  const words = ["clean", "data.csv", "--target", "label", "--out", "stopped"];
  let sent = false;
  const stopped = await stackelberg(words, {
    cwd: folder,
    onStderr: (text, child) => {
      if (!sent && text.includes("Fitting")) sent = child.kill("SIGINT");
    },
  });
  expect(stopped).toMatchObject({ exitCode: 130, stdout: "" });
  expect(stopped.stderr).toContain("nothing was written");
  expect(readdirSync(folder)).not.toContain("stopped");
});
