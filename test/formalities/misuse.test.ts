/**
 * Every public function, fed what it does not take: what is thrown is a sentence of ours that begins with a name of ours,
 * never JavaScript's own "Cannot read properties of undefined" from inside, nor jax-js's.
 */
import { describe, expect, test } from "vitest";
import * as bilevel from "../../src/bilevel/index.ts";
import * as fewshot from "../../src/fewshot/index.ts";
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

const functions = Object.entries({ ...library, ...bilevel, ...fewshot, ...program }).filter(
  ([name, value]) => typeof value === "function" && /^[a-z]/.test(name),
) as [string, (...args: unknown[]) => unknown][];

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
