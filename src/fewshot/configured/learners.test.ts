import { expect, test } from "vitest";
import { FewshotError } from "../fewshot-error.ts";
import { makeTestLearner, testRateOf } from "./learners.ts";
import type { TrainSettings } from "./settings.ts";

const settings: TrainSettings = {
  data: "omniglot",
  split: "1200/100/323",
  size: 28,
  channels: 1,
  invert: true,
  learner: "hyper-representation",
  filters: 4,
  variant: "strided",
  innerSteps: 3,
  innerRate: 0.1,
  ways: 5,
  shots: 1,
  queries: 5,
  trainWays: 20,
  tasks: 1,
  rate: 0.001,
  seed: 0,
  steps: 1,
  every: 1,
  validationEpisodes: 2,
  patience: 1,
  batchNorm: "batch",
};

test("the follower's rate at test goes with the number of classes", () => {
  expect(testRateOf(settings, { ways: 20 })).toBe(0.1);
  expect(testRateOf(settings, { ways: 5 })).toBe(0.025);
  expect(testRateOf(settings, { ways: 5, innerRate: 0.3 })).toBe(0.3);
  expect(testRateOf({ ...settings, learnInnerRate: "yes" }, { ways: 5 })).toBeUndefined();
  const { innerRate: _, ...closed } = { ...settings, learner: "prototypical" as const };
  expect(testRateOf(closed, { ways: 5 })).toBeUndefined();
});

test("a rate for a model that has no use for it is refused", () => {
  const at = (changes: Partial<TrainSettings>) => () =>
    makeTestLearner({ ...settings, ...changes }, { ways: 5, innerRate: 0.2 });
  expect(at({})).not.toThrow();
  const { innerRate: _, ...closed } = { ...settings, learner: "prototypical" as const };
  const without = (): unknown => makeTestLearner(closed, { ways: 5, innerRate: 0.2 });
  expect(without).toThrow(FewshotError);
  expect(without).toThrow(/prototypical makes no steps/);
  expect(at({ learnInnerRate: "yes" })).toThrow(/learned its own/);
});
