/**
 * Every public function, fed what it does not take: what is thrown is a sentence of ours that begins with a name of ours,
 * never JavaScript's own "Cannot read properties of undefined" from inside, nor jax-js's.
 */
import { describe, expect, test } from "vitest";
import * as bilevel from "../../src/bilevel/index.ts";
import * as data from "../../src/data/index.ts";
import * as fewshot from "../../src/fewshot/index.ts";
import * as linear from "../../src/linear/index.ts";
import * as rules from "../../src/bilevel/rules/index.ts";
import * as library from "../../src/index.ts";
import * as program from "../../src/program/index.ts";

const wrong: readonly (readonly [string, unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["a number", 3],
  ["a string", "three"],
  ["a list", [1, 2]],
  ["an empty object", {}],
  ["a function", () => 1],
  ["an unknown option", { thread: 2 }],
];

/** Sentences of the engine, of jax-js and of the runtime. */
const foreign =
  /Cannot (read|set|destructure|convert|use)|is not (a function|iterable|defined|an object)|undefined \(reading|Reflect|Jaxpr|is not a constructor|is not valid JSON|Unknown value|callback/;

/** Those of the data that download nothing. */
const readers = Object.fromEntries(
  Object.entries(data).filter(([name]) => !name.startsWith("readOmniglot")),
);

const functions = Object.entries({
  ...library,
  ...bilevel,
  ...rules,
  ...linear,
  ...fewshot,
  ...program,
  ...readers,
}).filter(([name, value]) => typeof value === "function" && /^[a-z]/.test(name)) as [
  string,
  (...args: unknown[]) => unknown,
][];

async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(functions)("%s", (_, fn) => {
  test.each(wrong)("of %s", async (_, value) => {
    for (const args of [[value], [value, value], [value, value, value]]) {
      const error = await thrownBy(() => fn(...args));
      if (error === undefined) continue;
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).not.toMatch(foreign);
      expect((error as Error).message).toMatch(/^[\w .'"\-:]+: |must|missing|needs/);
    }
  });
});

test("an option that does not exist is named with the one that was meant", () => {
  const dynamics = library.gradientDescent({ learningRate: 0.1 });
  expect(() => library.reverse({ step: 3, dynamics } as never)).toThrow(
    'reverse: there is no option "step"; did you mean steps?',
  );
  expect(() => library.adam({ learning_rate: 0.1 } as never)).toThrow(
    'adam: there is no option "learning_rate"; did you mean learningRate?',
  );
  expect(() => library.compile(() => 1, { thread: 2 } as never)).toThrow(
    'compile: there is no option "thread"; did you mean threads?',
  );
  expect(() => library.reverse({ dynamics } as never)).toThrow(
    "reverse: steps is missing; give a number.",
  );
  expect(() => library.reverse({ steps: "3", dynamics } as never)).toThrow(
    'reverse: steps must be a number, "3" came.',
  );
});

test("a nested list of numbers is no array, and is told what makes one", async () => {
  const sum = (w: { sub(other: unknown): unknown }) => w.sub(1);
  const problem = library.bilevel({ inner: sum as never, outer: sum as never });
  const rule = library.reverse({
    steps: 1,
    dynamics: library.gradientDescent({ learningRate: 1 }),
  });
  const data = { inner: { x: [[1, 2], [3, 4]] }, outer: [] }; // prettier-ignore
  await expect(library.hypergradient(problem, { rule, lambda: 1, w: 1, data })).rejects.toThrow(
    "hypergradient: data.inner.x is a nested list of numbers, which is a tree of scalars; write tensor([[…], …]) for an array.",
  );
  const pixels = { inner: { x: Uint8Array.of(0, 255) }, outer: [] };
  await expect(library.hypergradient(problem, { rule, lambda: 1, w: 1, data: pixels })).rejects.toThrow(
    "hypergradient: data.inner.x: tensor: bytes above 1",
  ); // prettier-ignore
});

describe("options within options", () => {
  const f64 = { dtype: "float64" } as const;
  const dynamics = library.gradientDescent({ learningRate: 0.1 });
  const problem = library.bilevel({
    inner: (w: never) => w as never,
    outer: (w: never) => w as never,
  });
  const options = {
    rule: library.reverse({ steps: 1, dynamics }),
    optimizer: dynamics,
    lambda: library.tensor(1, f64),
    w: library.tensor(1, f64),
    data: { inner: [], outer: [] },
  };
  const nameless = (): unknown => 1;

  test.each([
    [{ budget: { step: 3 } }, 'there is no option "budget.step"; did you mean budget.steps?'],
    [{ budget: { toString: 3 } }, 'there is no option "budget.toString"'],
    [{ budget: { steps: "3" } }, 'budget.steps must be a number, "3" came.'],
    [{ checkpoint: { save: nameless, every: 2 } }, 'there is no option "checkpoint.every"'],
    [{ checkpoint: { save: 3 } }, "checkpoint.save must be a function, 3 came."],
    [{ checkpoint: { path: 3 } }, "checkpoint.path must be a string, 3 came."],
    [{ earlyStopping: { patience: 3, minDelta: 1 } }, 'no option "earlyStopping.minDelta"'],
    [{ earlyStopping: {} }, "earlyStopping.patience is missing; give a number."],
    [{ constants: { mu: 1 } }, 'there is no option "constants.mu"'],
    [{ constants: [] }, "constants must be an object such as { strongConvexity,"],
    [{ divergence: { factor: 2 } }, "divergence must be a number, an object came."],
    [{ data: { inner: [], outer: [], test: [] } }, 'there is no option "data.test"'],
    [{ signal: new AbortController() }, "signal must be an AbortSignal,"],
    [{ optimizer: { learningRate: 1 } }, "optimizer must be an optimizer, such as adam("],
    [{ rule: dynamics }, "rule must be a rule, such as reverse("],
    [{ constraints: nameless }, "constraints must be a projection, such as box("],
  ])("of solve: %o", (change, sentence) => {
    expect(() => library.solve(problem, { ...options, ...change } as never)).toThrow(
      `solve: ${sentence.startsWith("no ") ? "there is " : ""}${sentence}`,
    );
  });

  test.each([
    [{ tolerance: { rel: 1 } }, 'there is no option "tolerance.rel"'],
    [{ tolerance: { relative: -1 } }, "tolerance.relative must be a number >= 0, -1 came."],
    [{ dynamics: {} }, "dynamics must be dynamics or an optimizer, such as gradientDescent("],
    [{ projection: library.box }, "projection must be a projection, such as box("],
    [{ checkpoints: { slots: 2, slot: 1 } }, 'checkpoints: there is no option "slot"'],
  ])("of a rule: %o", (change, sentence) => {
    const made = (): unknown => library.reverse({ steps: 3, dynamics, ...change } as never);
    expect(made).toThrow(`reverse: ${sentence}`);
  });

  test.each([
    ["a generator", (function* () {})(), "is an iterator or a collection"],
    ["an iterator of a list", [1, 2].values(), "is an iterator or a collection"],
    ["a map", new Map([["x", 1]]), "is an iterator or a collection"],
    ["a promise", Promise.resolve(1), "is a promise; await it first"],
  ])("%s is no tree of arrays", async (_, inner, sentence) => {
    const data = { inner, outer: [] };
    await expect(library.solve(problem, { ...options, data } as never)).rejects.toThrow(
      `solve: data.inner ${sentence}`,
    );
    const point = { rule: options.rule, lambda: options.lambda, w: options.w, data };
    await expect(library.hypergradient(problem, point as never)).rejects.toThrow(
      `hypergradient: data.inner ${sentence}`,
    );
  });

  test("constraints return a tree like lambda", async () => {
    const constraints = Object.assign(() => 3, { label: "three" });
    await expect(library.solve(problem, { ...options, constraints } as never)).rejects.toThrow(
      "solve: constraints must return a tree like lambda, float64[]; it returns float32[].",
    );
  });
});
