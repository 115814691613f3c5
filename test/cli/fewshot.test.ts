// `stackelberg fewshot` as a user runs it on a folder of images: train, Ctrl-C and resume, eval, table, predict, refusals.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { imageTensor, randomKey, randomStream, readImages } from "../../src/data/index.ts";
import { runCommandLine } from "../../src/cli/run.ts";
import type { EvaluationDocument } from "../../src/fewshot/model-files/evaluation-file.ts";
import type { TrainSettings } from "../../src/fewshot/configured/settings.ts";
import { readModel } from "../../src/fewshot/model-files/model-file.ts";
import { compile, type Tensor } from "../../src/program/index.ts";
import { stackelberg, temporaryFolder, type Finished } from "./run-cli.ts";

const folder = temporaryFolder();
const side = 8;
drawLetters(9, 6);

const run = (
  words: readonly string[],
  options: Parameters<typeof stackelberg>[1] = {},
): Promise<Finished> => stackelberg(["fewshot", ...words], { cwd: folder, ...options });
const training = (learner: string, out: string): string[] => [
  ...["train", "--data", "letters", "--size", "8", "--learner", learner, "--out", out],
  ...["--ways", "3", "--shots", "1", "--queries", "3", "--tasks", "2", "--filters", "4"],
  ...["--steps", "12", "--every", "4", "--validation-episodes", "10", "--threads", "1"],
];

describe("from images to labels", () => {
  test("train writes the model, its representation and a log", async () => {
    const done = await run(training("prototypical", "proto"));
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.stdout).toMatch(/^Finished after 12 steps\.\nBest validation accuracy: \d/);
    expect(done.stderr).toMatch(/\nstep 8: loss [\d.]+, validation [\d.]+ ± [\d.]+ %/);
    expect(readdirSync(join(folder, "proto")).sort()).toEqual([
      "checkpoint.safetensors",
      "events.jsonl",
      "log.jsonl",
      "model.safetensors",
      "representation.onnx",
      "settings.json",
    ]);
    const log = readLog("proto");
    expect(log.map(({ step, episodes }) => [step, episodes])).toEqual([
      [4, 8],
      [8, 16],
      [12, 24],
    ]);
    const { validation, step } = await readModel(join(folder, "proto"));
    const best = Math.max(...log.map(({ accuracy }) => accuracy));
    expect(validation.mean).toBe(best);
    expect(log.find((line) => line.step === step)!.accuracy).toBe(best);
  });

  test("the representation's features are the encoder's, with the training images' statistics", async () => {
    const { learner, lambda, statistics } = await readModel(join(folder, "proto"));
    const set = await readImages([image(1, 0)], { size: side, channels: 1 });
    const x = imageTensor(set, [0]);
    const features = compile(learner.encoder.encode as never);
    const wanted = (await features(
      (lambda as unknown as { encoder: never }).encoder,
      x,
      statistics as never,
    )) as unknown as Tensor;
    const actual = await (await openRepresentation("proto"))(image(1, 0));
    expect(actual.length).toBe(4);
    // Two programs of the same float32 operations.
    actual.forEach((v, i) => expect(v).toBeCloseTo(Number(wanted.data[i]), 5));
    expect(Math.max(...actual)).toBeGreaterThan(0.01);
  });

  test("eval tests on listed episodes, the same ones each time, and overwrites nothing", async () => {
    const words = ["eval", "--model", "proto", "--episodes", "30", "--threads", "1"];
    const done = await run(words);
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.stdout).toMatch(/prototypical, 3-way 1-shot on letters: accuracy on 30 test/);
    const document = readJson("proto/model-test-seed0.json");
    expect(document.results.map((r) => r.batchNorm)).toEqual(["batch", "support", "running"]);
    // Chance is 1/3; the classes are patterns under noise.
    for (const { mean, n } of document.results) expect([mean > 0.5, n]).toEqual([true, 30]);
    const again = await run(words);
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toMatch(/model-test-seed0\.json exists already; use --force/);
    // A result that no file takes is printed all the same.
    const unwritable = await stackelberg(["fewshot", ...words, "--out", "full.json"], {
      cwd: folder,
      shell: 'ulimit -f 0; "$@"',
    });
    expect(unwritable.exitCode).toBe(2);
    expect(unwritable.stdout).toBe(done.stdout.replace(/\nWritten to .*\n$/, ""));
    expect(unwritable.stderr).toMatch(/full\.json could not be written/);
    const long = await run([...words, "--out", "x".repeat(256)]);
    expect(long).toMatchObject({ exitCode: 2, stdout: "" });
    expect(long.stderr).toMatch(/is too long a name for the file system/);
    const json = await run([...words, "--out", "again.json", "--json"]);
    const repeated = JSON.parse(json.stdout) as EvaluationDocument;
    expect(repeated.results).toEqual(document.results);
    expect(repeated.test).toEqual(document.test);
    const other = await run([...words, "--seed", "1", "--batch-norm", "batch"]);
    expect(other.exitCode).toBe(0);
    const seed1 = readJson("proto/model-test-seed1.json");
    expect(seed1.test.listSha256).not.toBe(document.test.listSha256);
  });

  test("table puts results side by side, of the same episodes only", async () => {
    const done = await run(["table", "proto/model-test-seed0.json", "again.json", "--markdown"]);
    expect(done.stderr).toBe("");
    const lines = done.stdout.trimEnd().split("\n");
    expect(lines.length).toBe(4);
    const { mean, halfWidth } = readJson("again.json").results[0]!;
    const shown = `${(100 * mean).toFixed(2)} ± ${(100 * halfWidth).toFixed(2)} %`;
    expect(lines[2]).toContain(`| 3-way 1-shot | prototypical | ${shown} |`);
    const mixed = await run(["table", "again.json", "proto/model-test-seed1.json"]);
    expect(mixed.exitCode).toBe(2);
    expect(mixed.stderr).toMatch(/made on different episodes/);
    const { model, ...rest } = readJson("again.json");
    const other = { ...rest, model: { ...model, settings: { ...model.settings, seed: 1 } } };
    writeFileSync(join(folder, "other.json"), JSON.stringify(other));
    const seeds = await run(["table", "again.json", "other.json", "--markdown"]);
    expect(seeds.stdout).toMatch(/prototypical, seed 0 \|.*\n.*prototypical, seed 1 \|/);
    writeFileSync(
      join(folder, "half.json"),
      JSON.stringify({ ...rest, model: { step: model.step } }),
    );
    const half = await run(["table", "half.json"]);
    expect(half).toMatchObject({ exitCode: 2, stdout: "" });
    expect(half.stderr).toMatch(/half\.json is no result of/);
  });

  test("predict labels images by a few others, each by itself", async () => {
    // Any number of classes; two labelled images of class 0 and one of the others.
    for (const k of [0, 1, 2, 3]) {
      mkdirSync(join(folder, "few", `is ${k}`), { recursive: true });
      for (const i of k === 0 ? [0, 1] : [0]) {
        writeFileSync(join(folder, "few", `is ${k}`, `${i}.png`), readFileSync(image(k, i)));
      }
    }
    const asked = [0, 1, 2, 3].flatMap((k) => [3, 4, 5].map((i) => image(k, i)));
    const words = ["predict", "--model", "proto", "--support", "few", "--threads", "1", "--images"];
    const done = await run([...words, ...asked]);
    expect(done.exitCode).toBe(0);
    const [heading, ...lines] = done.stdout.trimEnd().split("\n");
    expect(heading).toBe(
      "image,prediction,probability_is 0,probability_is 1,probability_is 2,probability_is 3",
    );
    // The exported representation gives the same answer: the softmax of −‖f(x) − mean of a class's f‖².
    const features = await openRepresentation("proto");
    const means = [];
    for (const k of [0, 1, 2, 3]) {
      const all = [await features(image(k, 0)), ...(k === 0 ? [await features(image(0, 1))] : [])];
      means.push(all[0]!.map((_, j) => all.reduce((sum, f) => sum + f[j]! / all.length, 0)));
    }
    for (const [i, path] of asked.entries()) {
      const f = await features(path);
      const powers = means.map((m) => Math.exp(-m.reduce((d, v, j) => d + (v - f[j]!) ** 2, 0)));
      const sum = powers.reduce((a, b) => a + b);
      const probabilities = numbers(lines[i]!);
      powers.forEach((power, k) => expect(probabilities[k]).toBeCloseTo(power / sum, 3));
      const likeliest = probabilities.indexOf(Math.max(...probabilities));
      expect(lines[i]).toContain(`${path},is ${likeliest},`);
    }
    const alone = await run([...words, asked[5]!, "--out", "one.csv"]);
    expect(alone).toMatchObject({ exitCode: 0, stdout: "" });
    const one = readFileSync(join(folder, "one.csv"), "utf8").trimEnd().split("\n");
    // Another number of images may round differently.
    expect(one.length).toBe(2);
    numbers(one[1]!).forEach((v, k) => expect(v).toBeCloseTo(numbers(lines[5]!)[k]!, 3));
  });
});

test("--force sets aside what a training and a test wrote, and refuses another program's file", async () => {
  expect(await run(training("prototypical", "again"))).toMatchObject({ exitCode: 0 });
  const tested = await run(["eval", "--model", "again", "--episodes", "5"]);
  expect(tested).toMatchObject({ exitCode: 0 });
  expect(readdirSync(join(folder, "again"))).toContain("model-test-seed0.json");
  const forced = [...training("prototypical", "again"), "--force", "--budget", "1ms"];
  expect(await run(forced)).toMatchObject({ exitCode: 0 });
  expect(readdirSync(join(folder, "again"))).not.toContain("model-test-seed0.json");
  writeFileSync(join(folder, "again", "result.json"), "{}");
  const refused = await run(forced);
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(refused.stderr).toMatch(
    /again\/result\.json is not what a run writes under this name; move it away/,
  );
});

test("a validation that is interrupted is made again by the run that goes on", async () => {
  const long = (out: string): string[] => [
    ...training("prototypical", out),
    ...["--steps", "4", "--validation-episodes", "3000"],
  ];
  expect(await run(long("valid"))).toMatchObject({ exitCode: 0 });
  let poll: NodeJS.Timeout | undefined;
  const cut = await run(long("invalid"), {
    onStderr: (_, child) => {
      poll ??= setInterval(() => {
        const log = join(folder, "invalid", "events.jsonl");
        if (!existsSync(log) || !readFileSync(log, "utf8").includes('"validating"')) return;
        clearInterval(poll);
        child.kill("SIGINT");
      }, 20);
    },
  });
  clearInterval(poll);
  expect(cut.exitCode).toBe(130);
  expect(cut.stdout).toMatch(/^Interrupted after 4 steps; to go on: /);
  expect(readdirSync(join(folder, "invalid"))).not.toContain("log.jsonl");
  expect(await run(["train", "--resume", "invalid", "--threads", "1"])).toMatchObject({
    exitCode: 0,
  });
  const seen = ["valid", "invalid"].map((name) =>
    readLog(name).map(({ step, accuracy, loss }) => [step, accuracy, loss]),
  );
  expect(seen[1]).toEqual(seen[0]);
});

test("a run that is interrupted goes on to the same bytes", async () => {
  const whole = await run(training("maml", "whole"));
  expect(whole.exitCode).toBe(0);
  let stopped = false;
  const cut = await run(training("maml", "cut"), {
    onStderr: (text, child) => {
      if (stopped || !text.includes("\nstep 4:")) return;
      stopped = true;
      child.kill("SIGINT");
    },
  });
  expect(cut.exitCode).toBe(130);
  expect(cut.stdout).toMatch(/^Interrupted after \d+ steps; to go on: .*--resume cut/);
  expect(readLog("cut").length).toBeLessThan(3);
  const resumed = await run(["train", "--resume", "cut", "--threads", "1"]);
  expect(resumed).toMatchObject({ exitCode: 0 });
  const bytes = (name: string): Buffer =>
    readFileSync(join(folder, name, "checkpoint.safetensors"));
  expect(bytes("cut").equals(bytes("whole"))).toBe(true);
  const [a, b] = [await readModel(join(folder, "cut")), await readModel(join(folder, "whole"))];
  expect([a.step, a.lambda, a.statistics]).toEqual([b.step, b.lambda, b.statistics]);
  const untimed = (name: string): unknown[] =>
    readLog(name).map(({ step, accuracy, loss }) => [step, accuracy, loss]);
  expect(untimed("cut")).toEqual(untimed("whole"));
  const finished = await run(["train", "--resume", "cut", "--threads", "1"]);
  expect(finished.stdout).toMatch(/^Finished after 12 steps\./);
  const fewer = await run(["train", "--resume", "cut", "--steps", "11"]);
  expect(fewer).toMatchObject({ exitCode: 2 });
  expect(fewer.stderr).toMatch(/--steps 11: the run in cut has made 12 steps already/);
  // As after a crash between the last checkpoint and the validation of its step.
  const log = readFileSync(join(folder, "cut", "log.jsonl"), "utf8");
  const lines = log.split("\n");
  writeFileSync(join(folder, "cut", "log.jsonl"), `${lines.slice(0, 2).join("\n")}\n`);
  expect(await run(["train", "--resume", "cut", "--threads", "1"])).toMatchObject({ exitCode: 0 });
  expect(untimed("cut")).toEqual(untimed("whole"));
  for (const [file, broken, message] of [
    ["log.jsonl", `${log}{"step":`, /log\.jsonl is damaged at line 4/],
    ["log.jsonl", "", /log\.jsonl is missing/],
    ["checkpoint.safetensors", "", /checkpoint\.safetensors is damaged/],
    ["settings.json", "{", /settings\.json is damaged/],
  ] as const) {
    const path = join(folder, "cut", file);
    const good = readFileSync(path);
    writeFileSync(path, broken);
    const refused = await run(["train", "--resume", "cut"]);
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(message);
    writeFileSync(path, good);
  }
});

test("a second training is kept out of the folder of a first one", async () => {
  let asked: Promise<Finished[]> | undefined;
  const words = [...training("prototypical", "shared"), "--steps", "100000", "--patience", "9999"];
  const first = await run(words, {
    onStderr: (text, child) => {
      if (!text.includes("step 20:")) return;
      asked ??= Promise.all([
        run(["train", "--resume", "shared"]),
        run([...training("prototypical", "shared"), "--force"]),
      ]).finally(() => child.kill("SIGTERM"));
    },
  });
  // 128 and the number of SIGTERM.
  expect(first.exitCode).toBe(143);
  for (const other of await asked!) {
    expect(other).toMatchObject({ exitCode: 2, stdout: "" });
    expect(other.stderr).toMatch(/shared is in use by stackelberg fewshot train \(process \d+ on /);
  }
  // Of a process that was killed: the system has no such number.
  const left = [".run-999999999-0123abcd.lock", ".model.safetensors.999999999-0123abcd.tmp"];
  for (const name of left) writeFileSync(join(folder, "shared", name), "");
  const more = await run(["train", "--resume", "shared", "--budget", "1ms"]);
  expect(more).toMatchObject({ exitCode: 0 });
  expect(more.stderr).toMatch(/shared was left by a run \(process 999999999/);
  expect(readdirSync(join(folder, "shared")).filter((name) => name.startsWith("."))).toEqual([]);
});

test("rates that are too high end in a sentence that names them, and in no model", async () => {
  const words = [...training("hyper-representation", "steep"), "--rate", "1e38"];
  const done = await run(words);
  expect(done).toMatchObject({ exitCode: 2, stdout: "" });
  expect(done.stderr).toMatch(/failed at step 1: .* a lower --rate than 1e\+38 or .*--inner-rate/);
  expect(readdirSync(join(folder, "steep")).sort()).toEqual([
    "checkpoint.safetensors",
    "events.jsonl",
    "settings.json",
  ]);
  const wild = await run([...training("hyper-representation", "wild"), ...["--inner-rate", "1e6"]]);
  const warnings = wild.stderr.match(/far above 1\.10, .* a lower --inner-rate than 1000000/g);
  expect(warnings?.length).toBe(1);
});

test("a checkpoint that cannot be written is said, and no resuming promised", async () => {
  const done = await run(training("prototypical", "unsaved"), {
    onStderr: () =>
      mkdirSync(join(folder, "unsaved", "checkpoint.safetensors"), { recursive: true }),
  });
  expect(done.exitCode).toBe(2);
  expect(done.stdout).toMatch(/^Finished after 12 steps\.\nBest validation accuracy/);
  expect(done.stderr).toMatch(/\n.*checkpoint\.safetensors is a folder.*the training goes on/);
});

test("early stopping and a time budget end a training with a model", async () => {
  const words = [...training("matching", "early"), "--rate", "1e-12", "--patience", "1"];
  const early = await run(words);
  expect(early.stdout).toMatch(/^No better validation for long: stopped after 8 steps\./);
  const short = await run([...training("hyper-representation", "short"), "--budget", "1ms"]);
  expect(short.exitCode).toBe(0);
  expect(short.stdout).toMatch(/^The time budget is used up after 0 steps.*\nBest validation/);
});

test("Reptile's minibatches are part of its settings", async () => {
  const own = ["--train-shots", "4", "--train-queries", "1", "--step-shots", "1"];
  const { exitCode } = await run([...training("reptile", "reptile"), ...own]);
  expect(exitCode).toBe(0);
  // The default rate goes with the number of classes.
  const expected = { trainShots: 4, trainQueries: 1, stepShots: 1, innerRate: 0.24 };
  expect(readSettings("reptile")).toMatchObject(expected);
  const evaluation = ["--episodes", "5", "--inner-steps", "2", "--json", "--out", "reptile.json"];
  const tested = await run(["eval", "--model", "reptile", ...evaluation]);
  expect(tested.exitCode).toBe(0);
  expect(readJson("reptile.json").model.settings.stepShots).toBe(1);
});

const letters = join(folder, "letters");
const train = ["train", "--data", letters];
const drawing = join(letters, "class0", "0.png");
test.each([
  [[], /fewshot needs a command: train, eval, table or predict/],
  [["tune"], /fewshot has no command "tune"/],
  [["train", "--learner", "mamal"], /--learner must be one of hyper-representation, maml/],
  [["train", "--data", join(folder, "nowhere")], /nowhere: this is no folder that can be read/],
  [[...train, "--ways", "4"], /4 ways need 4 classes each/],
  [
    [...train, "--ways", "3"],
    /--shots 1 and --queries 15 need 16 images a class, 3 of 3 classes for validation have fewer/,
  ],
  [
    [...train, "--ways", "3", "--queries", "3", "--train-queries", "9"],
    /--train-shots 1 and --train-queries 9 need 10 images a class, 3 of 3 classes for training/,
  ],
  [
    [...train, "--ways", "3", "--queries", "3", "--train-ways", "4"],
    /--train-ways 4 needs as many classes for training, 3 are there/,
  ],
  [[...train, "--size", "1025"], /--size must be at most 1024/],
  [[...train, "--tasks", "1000000"], /--tasks must be at most 1000/],
  [["train", letters], /a folder of images goes after --data/],
  [["eval", letters], /a model goes after --model/],
  [["predict", "--support", letters, drawing], /the images to label go after --images/],
  [[...train, "--learner", "maml", "--rule", "implicit"], /--rule implicit is not for .* reverse/],
  [[...train, "--learner", "matching", "--inner-steps", "3"], /whose response has a closed form/],
  [
    [...train, "--learner", "joint", "--learn-inner-rate", "yes"],
    /--learn-inner-rate is not for --learner joint/,
  ],
  [
    [...train, "--rule", "implicit", "--learn-inner-rate", "yes"],
    /--learn-inner-rate yes does not go with --rule implicit/,
  ],
  [[...train, "--learn-inner-rate", "maybe"], /--learn-inner-rate/],
  [[...train, "--learner", "maml", "--train-ways", "2"], /--train-ways is not for --learner maml/],
  [[...train, "--learner", "maml", "--step-shots", "2"], /--step-shots is not for --learner maml/],
  [
    [...train, "--learner", "reptile", "--ways", "3", "--queries", "3"],
    /--train-shots 10 and --train-queries 5 need 15 images a class/,
  ],
  [[...train, "--split", "vinyals"], /--split is for omniglot/],
  [["train", "--invert"], /--invert is for folders of images/],
  [["train", "--budget", "30"], /--budget must be a time above 0 with its unit/],
  [["train", "--resume", letters], /there is no settings\.json in it/],
  [["train", "--resume", letters, "--ways", "3"], /--ways cannot be combined with --resume/],
  [[...train, "--ways", "3", "--queries", "3", "--out", letters], /is not empty; use --force/],
  [["eval"], /--model is missing/],
  [["eval", "--model", letters], /letters holds no model\.safetensors/],
  [["eval", "--model", drawing], /is no few-shot model/],
  [["table"], /fewshot table needs files/],
  [["table", letters], /letters is no result of/],
  [["table", drawing], /is no result of `.*fewshot eval`/],
  [["predict", "--images", drawing], /--support is missing/],
  [
    ["predict", "--support", letters, "--images", join(folder, "letters", "none.png")],
    /none\.png does not exist/,
  ],
  [["predict", "--support", letters], /--images is missing/],
])("refused in one line: %j", async (words, message) => {
  const before = readdirSync(folder).sort();
  let complaint = "";
  const exitCode = await runCommandLine(["fewshot", ...words], (text) => (complaint += text));
  expect(complaint).toMatch(message);
  expect([exitCode, complaint.trimEnd().split("\n").length]).toEqual([2, 1]);
  expect(readdirSync(folder).sort()).toEqual(before);
});

/** letters/class<k>/<i>.png: a random pattern of the class under noise, light on dark. */
function drawLetters(classes: number, images: number): void {
  const stream = randomStream(randomKey(11, "letters"));
  for (let k = 0; k < classes; k++) {
    const pattern = Array.from({ length: side * side }, () => stream.uniform());
    mkdirSync(join(folder, "letters", `class${k}`), { recursive: true });
    for (let i = 0; i < images; i++) {
      const data = Uint8Array.from(pattern, (p) => Math.floor(170 * p + 85 * stream.uniform()));
      writeFileSync(image(k, i), encode({ width: side, height: side, data, channels: 1 }));
    }
  }
}

/** The features of an image file by the exported representation. */
async function openRepresentation(name: string): Promise<(path: string) => Promise<number[]>> {
  const bytes = readFileSync(join(folder, name, "representation.onnx"));
  const session = await ort.InferenceSession.create(bytes);
  expect([session.inputNames, session.outputNames]).toEqual([["in.image.0"], ["out.features.0"]]);
  return async (path) => {
    const { data, shape } = imageTensor(await readImages([path], { size: side, channels: 1 }), [0]);
    const x = new ort.Tensor("float32", data as Float32Array, shape);
    return Array.from(
      (await session.run({ "in.image.0": x }))["out.features.0"]!.data as Float32Array,
    );
  };
}

/** The probabilities in a line of predictions. */
function numbers(line: string): number[] {
  return line.split(",").slice(2).map(Number);
}

function image(k: number, i: number): string {
  return join(folder, "letters", `class${k}`, `${i}.png`);
}

function readLog(
  name: string,
): { step: number; episodes: number; accuracy: number; loss: number }[] {
  const lines = readFileSync(join(folder, name, "log.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

function readSettings(name: string): TrainSettings {
  const text = readFileSync(join(folder, name, "settings.json"), "utf8");
  return (JSON.parse(text) as { settings: TrainSettings }).settings;
}

/** Without its checksum, so that a test can write it changed. */
function readJson(name: string): EvaluationDocument {
  const {
    checked: _,
    checksum: __,
    ...document
  } = JSON.parse(readFileSync(join(folder, name), "utf8"));
  return document;
}
