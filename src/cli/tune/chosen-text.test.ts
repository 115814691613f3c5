import { expect, test } from "vitest";
import { makeTuneResult } from "../../../test/cli/tune-result.ts";
import { describeLinear } from "../../automl/families/linear/explain.ts";
import type { ChosenModel } from "../../automl/tabular/types.ts";
import { chosenSentences } from "./chosen-text.ts";

const result = makeTuneResult();
const say = (change: Partial<ChosenModel>, folds = 5): string => {
  const choice = { method: "hypergradient", share: 0.5, inputs: 24, ...change };
  const { words: what } = describeLinear({ logCoefficient: [], single: Math.log(1.2e-4) }, choice);
  const chosen = { ...result.chosen, what, ...change };
  return chosenSentences({ ...result, folds, chosen }).join(" ");
};

test("which model it is, on which rows, and which error to expect", () => {
  expect(say({})).toBe(
    "The model: one coefficient for each of 24 columns, tuned from the single one 1.2e-4 and held at 0.5 of the way, as the held-out loss on 5 folds favours, fitted on all 32,561 rows. Error to expect: test log loss 0.3180 ± 0.0060, from the same choice made and fitted on 26,049 rows of each of 8 splits.",
  );
  expect(say({ share: 1 })).toContain("tuned from the single one 1.2e-4, as the held-out loss");
});

test("a single coefficient, one validation part, one split", () => {
  const expected = { by: "grid", metric: "rmse", mean: 3, halfWidth: NaN, splits: 1 } as const;
  const text = say({ method: "grid", share: 0, expected }, 1);
  expect(text).toContain(
    "The model: the single coefficient 1.2e-4 for all columns, as the held-out loss on the validation rows favours",
  );
  expect(text).toContain(
    "test RMSE 3.000, from the same choice made and fitted on 26,049 rows of one split",
  );
  expect(say({ method: "default" })).toContain("the default coefficient 1.2e-4 for all columns");
});

test("nothing known and nothing solved are said", () => {
  const { expected: _, ...chosen } = result.chosen;
  const bare = chosenSentences({ ...result, chosen: { ...chosen, isSolved: false } }).join(" ");
  expect(bare).toContain("No split was finished, so nothing is known of its error on new rows.");
  expect(bare).toContain("Its fit ended before the minimum");
});
