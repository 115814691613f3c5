import { describe, expect, test } from "vitest";
import { corruptLabels } from "./corrupt.ts";

describe("corruptLabels", () => {
  const labels = Int32Array.from({ length: 1000 }, (_, i) => i % 10);

  test("the rate asked for comes out, and every wrong label differs from the true one", () => {
    const {
      labels: noisy,
      isWrong,
      rate,
    } = corruptLabels(labels, { classes: 10, rate: 0.5, seed: 1 });
    expect(rate).toBe(0.5);
    expect(isWrong.reduce((sum, v) => sum + v, 0)).toBe(500);
    noisy.forEach((label, i) => {
      expect(label !== labels[i]).toBe(isWrong[i] === 1);
      expect(label >= 0 && label < 10).toBe(true);
    });
    expect(new Set(noisy.filter((_, i) => isWrong[i] === 1 && labels[i] === 3)).size).toBe(9);
  });

  test("the seed decides", () => {
    const once = corruptLabels(labels, { classes: 10, rate: 0.2, seed: 1 }).labels;
    expect(corruptLabels(labels, { classes: 10, rate: 0.2, seed: 1 }).labels).toEqual(once);
    expect(corruptLabels(labels, { classes: 10, rate: 0.2, seed: 2 }).labels).not.toEqual(once);
  });

  test.each([
    [{ classes: 10, rate: 1.5, seed: 0 }, "rate"],
    [{ classes: 1, rate: 0.5, seed: 0 }, "classes"],
  ])("refused: %o", (options, message) => {
    expect(() => corruptLabels(labels, options)).toThrow(message);
  });
});
