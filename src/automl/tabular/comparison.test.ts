import { expect, test } from "vitest";
import { makeTuneResult } from "../../../test/cli/tune-result.ts";
import type { TuneResult } from "./types.ts";
import { meanInterval } from "../../data/metrics.ts";
import { compareMethods, describeMetric, onCommonSplits, pairedDifference } from "./comparison.ts";

/** The fixture with other values of one metric of one method. */
function withValues(
  result: TuneResult,
  method: string,
  change: (value: number, i: number) => number,
): TuneResult {
  const base = result.methods.find((m) => m.method === "grid")!.test["logLoss"]!.values;
  const values = base.map(change);
  const { mean, halfWidth } = meanInterval(values);
  return {
    ...result,
    methods: result.methods.map((m) =>
      m.method === method ? { ...m, test: { ...m.test, logLoss: { values, mean, halfWidth } } } : m,
    ),
  };
}

test("metrics are known by any spelling, with their direction", () => {
  for (const key of ["logLoss", "log loss", "log-loss", "log_loss"]) {
    expect(describeMetric(key)).toEqual({ key, title: "log loss", better: "lower" });
  }
  expect(describeMetric("R²").better).toBe("higher");
  expect(describeMetric("RMSE").title).toBe("RMSE");
  expect(describeMetric("hinge error").better).toBe("lower");
});

test("a clear win is said and marked", () => {
  const comparison = compareMethods(makeTuneResult());
  expect(comparison.primary?.title).toBe("log loss");
  expect(comparison.metrics[0]).toMatchObject({
    metric: { title: "log loss" },
    best: "hypergradient",
  });
  expect(comparison.verdict[0]).toMatch(
    /^One coefficient per column beat the best single coefficient/,
  );
});

test("a difference within its interval is neither marked nor claimed", () => {
  const result = withValues(
    makeTuneResult(),
    "hypergradient",
    (v, i) => v + (i % 2 ? 0.01 : -0.0101),
  );
  const comparison = compareMethods(result);
  expect(comparison.metrics[0]!.best).toBeUndefined();
  expect(comparison.verdict[0]).toMatch(/did not clearly differ from the best single coefficient/);
});

test("a loss is said", () => {
  const result = withValues(makeTuneResult(), "hypergradient", (v, i) => v + 0.02 + i * 1e-4);
  const comparison = compareMethods(result);
  expect(comparison.metrics[0]!.best).toBe("grid");
  expect(comparison.verdict[0]).toMatch(/did worse than the best single coefficient/);
});

test("equal values and single splits are said as such", () => {
  const equal = withValues(makeTuneResult(), "hypergradient", (v) => v);
  expect(compareMethods(equal).verdict[0]).toMatch(/gave the same test log loss on all 8 splits/);
  const single = compareMethods(makeTuneResult({ repeats: 1 }));
  expect(single.verdict[0]).toMatch(/on a single split/);
  expect(single.metrics[0]!.best).toBeUndefined();
});

test("the paired interval is the corrected one for overlapping splits", () => {
  const result = makeTuneResult();
  const metric = describeMetric("logLoss");
  const [, grid, tuned] = result.methods;
  const difference = pairedDifference(result, metric, tuned!, grid!);
  const values = tuned!.test["logLoss"]!.values.map(
    (v, i) => grid!.test["logLoss"]!.values[i]! - v,
  );
  const { test: held, total } = result.rows;
  const plain = meanInterval(values);
  expect(difference.mean).toBeCloseTo(plain.mean, 12);
  const widening = Math.sqrt(1 + (values.length * held) / (total - held));
  expect(difference.halfWidth).toBeCloseTo(plain.halfWidth * widening, 12);
});

test("no finished method is no evidence", () => {
  const comparison = compareMethods({ ...makeTuneResult(), methods: [] });
  expect(comparison.verdict).toEqual(["No method was finished on any split."]);
});

test("a stopped run is compared on the splits that every method finished", () => {
  const result = makeTuneResult({ repeats: 3 });
  const tuned = result.methods[2]!;
  tuned.seconds = tuned.seconds.slice(0, 2);
  tuned.validationLoss = tuned.validationLoss.slice(0, 2);
  for (const estimate of Object.values(tuned.test)) estimate.values = estimate.values.slice(0, 2);
  const { methods } = onCommonSplits(result);
  for (const method of methods) {
    expect(method.seconds).toHaveLength(2);
    const { values, mean } = method.test["logLoss"]!;
    expect(mean).toBeCloseTo((values[0]! + values[1]!) / 2, 12);
  }
  const whole = makeTuneResult();
  expect(onCommonSplits(whole)).toBe(whole);
  expect(onCommonSplits({ ...whole, methods: [] }).methods).toEqual([]);
});
