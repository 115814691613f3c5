import { expect, test } from "vitest";
import { optionName, withOptionNames } from "./option-name.ts";

test("settings become options, and nothing else does", () => {
  expect(optionName("learnInnerRate")).toBe("--learn-inner-rate");
  expect(withOptionNames("`rule` implicit is not for `learner` maml")).toBe(
    "--rule implicit is not for --learner maml",
  );
  const others = 'run `stackelberg fewshot train` or give "`" and `a b`';
  expect(withOptionNames(others)).toBe(others);
});
