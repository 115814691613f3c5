import { expect, test } from "vitest";

import {
  checkOptions,
  hasMembers,
  type OptionKinds,
  required,
  withDefaults,
} from "./check-options.ts";

interface Options {
  readonly steps?: number;
  readonly tolerance?: { readonly relative?: number };
  readonly moves?: { readonly update: () => void };
}

const kinds: OptionKinds<Options> = {
  steps: "number",
  tolerance: { options: { relative: "nonNegative" } },
  moves: {
    wanted: "an optimizer, such as adam()",
    fits: (value) => hasMembers(value, { update: "function" }),
  },
};

test("options within options have names and kinds too", () => {
  const check = (options: object): (() => void) => {
    return () => checkOptions("fit", options as Options, kinds);
  };
  expect(check({ steps: 1, tolerance: { relative: 0 }, moves: { update() {} } })).not.toThrow();
  expect(check({ tolerance: {} })).not.toThrow();
  expect(check({ tolerance: { relativ: 1 } })).toThrow(
    'fit: there is no option "tolerance.relativ"; did you mean tolerance.relative?',
  );
  expect(check({ tolerance: { toString: 1 } })).toThrow(
    'fit: there is no option "tolerance.toString"; its options are tolerance.relative.',
  );
  for (const [value, came] of [[-1, "-1"], [NaN, "NaN"], ["1", '"1"']] as const) {
    expect(check({ tolerance: { relative: value } })).toThrow(
      `fit: tolerance.relative must be a number >= 0, ${came} came.`,
    );
  } // prettier-ignore
  for (const [value, came] of [[[], "a list"], [1e-3, "0.001"], [null, "null"]] as const) {
    expect(check({ tolerance: value })).toThrow(
      `fit: tolerance must be an object such as { relative }, ${came} came.`,
    );
  } // prettier-ignore
});

test("parts are known by their members", () => {
  for (const [value, came] of [[{}, "an object"], [() => 1, "a function"], [null, "null"]] as const) {
    expect(() => checkOptions("fit", { moves: value } as never, kinds)).toThrow(
      `fit: moves must be an optimizer, such as adam(), ${came} came.`,
    );
  } // prettier-ignore
  const strict = { ...kinds, moves: required(kinds.moves as never) };
  expect(() => checkOptions("fit", {} as Options, strict)).toThrow(
    "fit: moves is missing; give an optimizer, such as adam().",
  );
});

test("an option of undefined is one that is not given, whatever its name", () => {
  expect(() =>
    checkOptions("fit", { moves: undefined, stpes: undefined } as never, kinds),
  ).not.toThrow();
  expect(withDefaults({ steps: 3, seed: 0 }, { steps: undefined, seed: 7 })).toEqual({
    steps: 3,
    seed: 7,
  });
});
