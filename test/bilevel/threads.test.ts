/**
 * The same seed and number of threads give the same run, to the last bit. Another number of threads cuts the arrays
 * elsewhere, and ONNX Runtime's logarithm and matrix-vector product round an array's last few elements differently:
 * then the runs agree to float32's accuracy only.
 */
import { expect, test } from "vitest";
import { decodeCheckpoint } from "../../src/bilevel/solve/checkpoint.ts";
import { adam } from "../../src/bilevel/optimizers/adam.ts";
import { momentum } from "../../src/bilevel/optimizers/momentum.ts";
import { reverse } from "../../src/bilevel/rules/explicit/reverse.ts";
import { solve } from "../../src/bilevel/solve/solve.ts";
import { logisticRegression } from "./small-problems.ts";

test("logistic regression on 4000 rows with 1, 3 and 3 threads", async () => {
  const { problem, ...start } = logisticRegression(4000, 40);
  const written: Uint8Array[] = [];
  for (const threads of [1, 3, 3]) {
    const result = await solve(problem, {
      ...start,
      rule: reverse({ steps: 10, dynamics: momentum({ learningRate: 0.3, momentum: 0.8 }) }),
      optimizer: adam({ learningRate: 0.1 }),
      budget: { steps: 4 },
      checkpoint: { save: (bytes) => void written.push(bytes) },
      threads,
    });
    expect(result.value).toBeLessThan(result.history[0]!.value);
  }
  const [one, three, again] = written;
  expect(Buffer.compare(three!, again!)).toBe(0);
  const values = [one!, three!].map((bytes) => decodeCheckpoint(bytes).state.history.at(-1)!.value);
  expect(Math.abs(values[0]! - values[1]!)).toBeLessThan(1e-6 * values[0]!);
});
