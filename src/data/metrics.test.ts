import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import {
  accuracy,
  balancedAccuracy,
  logLoss,
  mae,
  meanInterval,
  r2,
  rmse,
  rocAuc,
} from "./metrics.ts";

test("accuracy and balanced accuracy", () => {
  const actual = [0, 0, 0, 0, 1, 1, 2];
  const predicted = [0, 0, 0, 1, 1, 0, 2];
  expect(accuracy(actual, predicted)).toBeCloseTo(5 / 7, 15);
  expect(balancedAccuracy(actual, predicted)).toBeCloseTo((3 / 4 + 1 / 2 + 1) / 3, 15);
});

test("log loss of [n, classes] and of [n] probabilities", () => {
  const expected = -(Math.log(0.7) + Math.log(0.4)) / 2;
  expect(logLoss([0, 1], [0.7, 0.3, 0.6, 0.4])).toBeCloseTo(expected, 15);
  expect(logLoss([0, 1], [0.3, 0.4])).toBeCloseTo(expected, 15);
  expect(logLoss([1], [0])).toBeCloseTo(-Math.log(1e-15), 12);
  expect(() => logLoss([0, 1], [0.1, 0.2, 0.3])).toThrow(/shape \[n\] or \[n, classes\]/);
  expect(() => logLoss([2], [0.5, 0.5])).toThrow(/from 0 to 1, row 0 has 2/);
});

describe("area under the ROC curve", () => {
  test("known values", () => {
    expect(rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).toBe(0.75);
    expect(rocAuc([0, 1], [1, 1])).toBe(0.5);
    expect(rocAuc([1, 0], [2, 1])).toBe(1);
    expect(rocAuc([1, 1], [2, 1])).toBeNaN();
  });

  property.prop([fc.array(fc.tuple(fc.nat(1), fc.nat(5)), { minLength: 1, maxLength: 40 })])(
    "is the share of pairs in order, ties half",
    (rows) => {
      const positive = rows.filter(([label]) => label === 1);
      const negative = rows.filter(([label]) => label === 0);
      let won = 0;
      for (const [, high] of positive)
        for (const [, low] of negative) won += high > low ? 1 : high === low ? 0.5 : 0;
      const auc = rocAuc(
        rows.map(([label]) => label),
        rows.map(([, score]) => score),
      );
      const pairs = positive.length * negative.length;
      if (pairs === 0) expect(auc).toBeNaN();
      else expect(auc).toBeCloseTo(won / pairs, 12);
    },
  );
});

test("errors of a regression", () => {
  const actual = [1, 2, 3, 6];
  const predicted = [1, 3, 3, 4];
  expect(rmse(actual, predicted)).toBeCloseTo(Math.sqrt(5 / 4), 15);
  expect(mae(actual, predicted)).toBe(0.75);
  expect(r2(actual, predicted)).toBeCloseTo(1 - 5 / 14, 15);
  expect(r2(actual, [3, 3, 3, 3])).toBe(0);
  expect(r2([2, 2], [1, 3])).toBeNaN();
  expect(() => mae([], [])).toThrow(/at least one/);
  expect(() => rmse([1], [1, 2])).toThrow(/got 2 and 1/);
});

describe("interval of a mean", () => {
  test("independent values: t · sd / √n", () => {
    const { mean, sd, n, halfWidth } = meanInterval([1, 2, 3, 4]);
    expect([mean, n]).toEqual([2.5, 4]);
    expect(sd).toBeCloseTo(Math.sqrt(5 / 3), 15);
    expect(halfWidth).toBeCloseTo((3.182446305284 * Math.sqrt(5 / 3)) / 2, 10);
  });

  test("repeated splits: the variance times 1/n + test/train", () => {
    const { sd, halfWidth } = meanInterval([1, 2, 3, 4], { testFraction: 0.2 });
    expect(halfWidth).toBeCloseTo(3.182446305284 * sd * Math.sqrt(1 / 4 + 0.2 / 0.8), 10);
  });

  test("one value has no interval, none is misuse", () => {
    expect(meanInterval([5])).toEqual({ mean: 5, halfWidth: NaN, n: 1, sd: NaN });
    expect(() => meanInterval([])).toThrow(RangeError);
    expect(() => meanInterval([1], { testFraction: 1 })).toThrow(RangeError);
  });
});
