import { describe, expect, test } from "vitest";
import { checkHypergradient } from "../../bilevel/index.ts";
import { reverse } from "../../bilevel/rules/index.ts";
import { randomKey, randomStream, type Table } from "../../data/index.ts";
import { compile, tensor, zeros, type Tensor } from "../../program/index.ts";
import { curvatureOf, tabularDynamics } from "../families/linear/problem.ts";
import {
  crossValidationProblem,
  drawFolds,
  foldMask,
  preconditionerOf,
} from "./cross-validation.ts";
import { rankRows } from "./rank.ts";
import { averagePrecision } from "./score.ts";
import { heldOutProbabilities, suspicion } from "./suspicion.ts";

/** Rows of two classes, +1 and −1 in equal numbers, with x ~ N(±distance, 1). */
function twoNormals(count: number, distance: number, seed: number): Table {
  const stream = randomStream(randomKey(seed));
  const codes = Int32Array.from({ length: count }, (_, i) => i % 2);
  return {
    source: "two-normals.csv",
    rowCount: count,
    columns: [
      {
        kind: "numeric",
        name: "x",
        values: Float64Array.from(codes, (c) => (c === 1 ? distance : -distance) + stream.normal()),
      },
      { kind: "categorical", name: "label", codes, levels: ["minus", "plus"] },
    ],
  };
}

/** Share of planted errors among as many first rows as there are. */
function precisionOf({ order, planted }: Awaited<ReturnType<typeof rankRows>>): number {
  const count = planted!.reduce((sum, v) => sum + v, 0);
  return order.subarray(0, count).reduce((sum, entry) => sum + planted![entry]!, 0) / count;
}

describe("rankRows", () => {
  test("classes that do not overlap: the planted errors come first, with the true class suggested", async () => {
    // A row on the wrong side is 4 standard deviations off: 3e-5 · 300 rows, none in expectation.
    const ranking = await rankRows(twoNormals(300, 4, 1), { target: "label", plant: 0.1 });
    expect(precisionOf(ranking)).toBe(1);
    for (const entry of ranking.order.subarray(0, 30)) {
      expect(ranking.suggested[entry]).toBe(entry % 2);
      expect(ranking.labels[entry]).toBe(1 - (entry % 2));
      expect(ranking.influence[entry]).toBeGreaterThan(0);
    }
    expect(ranking.relativeGradientNorm).toBeLessThan(1e-3);
  });

  test("classes that overlap: as many as the best ranking finds", async () => {
    // The sign of a label times x is N(1, 1) for a right label and N(−1, 1) for a wrong one, and nothing else is known of a
    // row. Of rows below t, 0.2·Φ(t + 1) are wrong and 0.8·Φ(t − 1) right; both are 0.2 of all at t = −0.4526, where
    // Φ(t + 1) = 0.708 are wrong. With 400 errors, the standard error of the share is √(0.708·0.292/400) = 0.023.
    const ranking = await rankRows(twoNormals(2000, 1, 2), { target: "label", plant: 0.2 });
    expect(precisionOf(ranking)).toBeGreaterThan(0.708 - 3 * 0.023);
    expect(precisionOf(ranking)).toBeLessThan(0.708 + 3 * 0.023);
  });

  test("the seed decides, and rows without a label are left out", async () => {
    const table = twoNormals(80, 1, 3);
    const codes = Int32Array.from((table.columns[1] as { codes: Int32Array }).codes);
    codes[5] = -1;
    const holed = { ...table, columns: [table.columns[0]!, { ...table.columns[1]!, codes }] };
    const options = { target: "label", repeats: 1, threads: 1 };
    const once = await rankRows(holed as Table, options);
    expect(once.rows.length).toBe(79);
    expect([...once.rows]).not.toContain(5);
    expect((await rankRows(holed as Table, options)).score).toEqual(once.score);
    expect((await rankRows(holed as Table, { ...options, seed: 1 })).score).not.toEqual(once.score);
  });

  test("refused: numbers, options out of range; an aborted signal ends it", async () => {
    const table = twoNormals(40, 1, 4);
    await expect(rankRows(table, { target: "x" })).rejects.toThrow("this target is a number");
    const target = "label";
    await expect(rankRows(table, { target, folds: 1 })).rejects.toThrow("folds must be");
    await expect(rankRows(table, { target, repeats: 0.5 })).rejects.toThrow("repeats must be");
    await expect(rankRows(table, { target, plant: 2 })).rejects.toThrow("rate must be");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(rankRows(table, { target, signal })).rejects.toThrow("enough");
  });
});

describe("cross-validation as a problem", () => {
  const draws = drawFolds(Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1), {
    folds: 3,
    repeats: 2,
    seed: 0,
  });

  test("every row is held out once a repeat, by folds with each class alike", () => {
    for (const draw of draws) {
      const perClass = [draw.subarray(0, 6), draw.subarray(6)];
      for (const rows of perClass) expect([...rows].sort()).toEqual([0, 0, 1, 1, 2, 2]);
    }
    const [training, heldOut] = [foldMask(draws, 3, false), foldMask(draws, 3, true)];
    training.forEach((v, i) => expect(v + heldOut[i]!).toBe(1));
    for (let row = 0; row < 12; row++) {
      const times = Array.from({ length: 6 }, (_, fold) => heldOut[fold * 12 + row]!);
      expect(times.reduce((sum, v) => sum + v, 0)).toBe(2);
    }
  });

  test("the preconditioner is the inverse of ½XᵀX/n + diag δ", async () => {
    const x = Float32Array.of(1, 2, 3, -1, 0.5, 2); // [3, 2]
    const decay = Float32Array.of(0.25, 0.5);
    const [a, b, d] = [(1 + 9 + 0.25) / 6 + 0.25, (2 - 3 + 1) / 6, (4 + 1 + 4) / 6 + 0.5];
    const determinant = a * d - b * b;
    const expected = [d / determinant, -b / determinant, -b / determinant, a / determinant];
    preconditionerOf(await boundOf(x), decay).forEach((v, i) =>
      expect(v).toBeCloseTo(expected[i]!, 6),
    );
  });

  test("its hypergradient agrees with differences", async () => {
    const stream = randomStream(randomKey(6));
    const x = Float64Array.from({ length: 24 }, (_, i) => (i % 2 === 1 ? 1 : stream.normal()));
    const decay = Float32Array.of(0.1, 0.01);
    const preconditioner = preconditionerOf(await boundOf(x), decay);
    const y = Float64Array.from({ length: 24 }, (_, i) => Number(i % 12 < 6 === i < 12));
    const mask = (heldOut: boolean): ReturnType<typeof tensor> =>
      tensor(Float64Array.from(foldMask(draws, 3, heldOut)), { shape: [6, 12] });
    const rows = { x: tensor(x, { shape: [12, 2] }), y: tensor(y, { shape: [2, 12] }) };
    const check = await checkHypergradient(crossValidationProblem(2), {
      rule: reverse({ steps: 30, dynamics: tabularDynamics(true) }),
      lambda: tensor(Float64Array.from({ length: 12 }, (_, i) => 0.5 + i / 24)),
      w: { weights: zeros([6, 2, 2], "float64") },
      data: {
        inner: {
          ...rows,
          mask: mask(false),
          decay: tensor(Float64Array.from(decay)),
          preconditioner: tensor(Float64Array.from(preconditioner), { shape: [2, 2] }),
        },
        outer: { ...rows, mask: mask(true) },
      },
    });
    expect(check.passed, check.sentence).toBe(true);
  });
});

/** ½XᵀX/n of x [rows, 2]. */
async function boundOf(x: ArrayLike<number>): Promise<Tensor> {
  const rows = x.length / 2;
  const bound = compile(curvatureOf("multiclass", true, 0));
  const share = tensor(new Float64Array(rows).fill(1 / rows), { shape: [1, 1, rows] });
  const curvature = await bound(tensor(Float64Array.from(x), { shape: [rows, 2] }), share);
  await bound.dispose();
  return curvature;
}

describe("scores", () => {
  test("held-out probabilities are those of the model that did not see the row", () => {
    // Two folds of one repeat; logits (0, x·v) with v = ln 3 in fold 0 and 0 in fold 1.
    const models = tensor(Float32Array.of(0, 0, Math.log(3), 0, 0, 0, 0, 0), { shape: [2, 2, 2] });
    const x = tensor(Float32Array.of(1, 1, 1, 1, -1, 1), { shape: [3, 2] });
    const labels = Int32Array.of(1, 1, 1);
    const held = heldOutProbabilities(x, models, labels, [Int32Array.of(0, 1, 0)], 2);
    [3 / 4, 1 / 2, 1 / 4].forEach((p, i) => expect(held.probability[i]).toBeCloseTo(p, 6));
    expect([...held.suggested]).toEqual([1, 0, 0]);
    expect(held.logLoss).toBeCloseTo(-Math.log((3 / 4) * (1 / 2) * (1 / 4)) / 3, 6);
  });

  test("the score is the mean of two ranks, equal values sharing theirs", () => {
    const { score, order } = suspicion([0.9, 0.1, 0.5, 0.5], [0, 3, 2, 1]);
    [0, 1, (1.5 + 2) / 6, (1.5 + 1) / 6].forEach((v, i) => expect(score[i]).toBeCloseTo(v, 15));
    expect([...order]).toEqual([1, 2, 3, 0]);
    expect([...suspicion([0.3], [1]).score]).toEqual([1]);
  });

  test("average precision", () => {
    // Wrong rows at places 1 and 3: (1/1 + 2/3) / 2.
    expect(averagePrecision([4, 3, 2, 1], [1, 0, 1, 0])).toBeCloseTo(5 / 6, 15);
    expect(averagePrecision([1, 2], [0, 0])).toBeNaN();
  });
});
