import { expect, test } from "vitest";
import { checkResuming } from "./resuming.ts";

test.each([
  ["tune", { resume: "a", budget: 3, threads: 1, json: true, quiet: true, target: undefined }],
  ["fewshot train", { resume: "a", steps: 9, maxUnpacked: 5 }],
] as const)("%s takes what does not change its result", (command, flags) => {
  expect(() => checkResuming(command, flags)).not.toThrow();
});

test.each([
  ["tune", "--min-class", { resume: "a", budget: 3, minClass: 4 }],
  ["tune", "--header", { resume: "a", header: false }],
  ["tune", "--footer", { resume: "a", footer: 0 }],
  ["fewshot train", "--learn-inner-rate", { resume: "a", learnInnerRate: "yes" }],
] as const)("%s refuses %s", (command, option, flags) => {
  const only = command === "tune" ? "--budget, --threads, --json and --quiet" : "--quiet";
  expect(() => checkResuming(command, flags)).toThrow(`${option} cannot be combined with --resume`);
  expect(() => checkResuming(command, flags)).toThrow(`${only} may be given anew`);
});
