/** `vjp`, `jvp` and `valueAndGrad` on random lists of outputs, in closed form: constant, repeated, computed from one another. */
import { numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  jvp,
  Program,
  tensor,
  valueAndGrad,
  vjp,
  type Tensor,
  type Tree,
} from "../../src/program/index.ts";

/** What an output is: of one argument, of an earlier output, or of none. */
const kinds = [
  "constant",
  "integer",
  "boolean",
  "argument",
  "sine",
  "again",
  "exponential",
] as const;
interface Output {
  readonly kind: (typeof kinds)[number];
  readonly of: number;
}

const drawn = fc.record({
  args: fc.array(fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }), // prettier-ignore
  outputs: fc.array(fc.record({ kind: fc.constantFrom(...kinds), of: fc.nat(7) }), {
    minLength: 1,
    maxLength: 7,
  }),
});

/** Every output, and the argument that it is a function of. */
function outputsOf(x: np.Array[], outputs: readonly Output[]): np.Array[] {
  const all: np.Array[] = [];
  for (const { kind, of } of outputs) {
    const arg = x[of % x.length]!;
    const before = all[of % Math.max(1, all.length)] ?? arg;
    const earlier = before.dtype === arg.dtype ? before : arg;
    all.push(
      {
        constant: () => np.full([2], 3, { dtype: arg.dtype }),
        integer: () => arg.astype(np.int32),
        boolean: () => np.greater(arg, 0),
        argument: () => arg,
        sine: () => np.sin(arg.mul(2)),
        again: () => earlier,
        exponential: () => np.exp(earlier.mul(0.5)),
      }[kind](),
    );
  }
  return all;
}

interface Elementwise {
  readonly isFloat: boolean;
  /** −1 for none. */
  readonly of: number;
  readonly value: readonly number[];
  readonly slope: readonly number[];
}

/** The same with slopes, in plain numbers. */
function inPlain(x: readonly number[][], outputs: readonly Output[]): Elementwise[] {
  const all: Elementwise[] = [];
  for (const { kind, of } of outputs) {
    const k = of % x.length;
    const value = x[k]!;
    const arg: Elementwise = { isFloat: true, of: k, value, slope: value.map(() => 1) };
    const before = all[of % Math.max(1, all.length)] ?? arg;
    const earlier = before.isFloat ? before : arg;
    const none = (length: number, isFloat: boolean): Elementwise => ({
      isFloat,
      of: -1,
      value: new Array<number>(length).fill(3),
      slope: new Array<number>(length).fill(0),
    });
    const exponentials = earlier.value.map((v) => Math.exp(v * 0.5));
    all.push(
      {
        constant: () => none(2, true),
        integer: () => none(value.length, false),
        boolean: () => none(value.length, false),
        argument: () => arg,
        sine: () => ({
          ...arg,
          value: value.map((v) => Math.sin(2 * v)),
          slope: value.map((v) => 2 * Math.cos(2 * v)),
        }),
        again: () => earlier,
        exponential: () => ({
          ...earlier,
          value: exponentials,
          slope: exponentials.map((e, i) => 0.5 * e * earlier.slope[i]!),
        }),
      }[kind](),
    );
  }
  return all;
}

/** Uneven weights, the same on both sides. */
const weight = (output: number, i: number): number => 1 + 0.5 * output - 0.25 * i;

test("pullbacks, tangents and gradients are those of the closed form", async () => {
  await fc.assert(
    fc.asyncProperty(drawn, async ({ args, outputs }) => {
      const program = new Program("random outputs");
      const x = args.map((values) => tensor(values, { dtype: "float64" }));
      const input = program.input("x", x as never);
      const weights = (y: np.Array[]): np.Array[] =>
        y.map((leaf, o) => np.arange(leaf.size).mul(-1).astype(np.float64).mul(0.25).add(1 + 0.5 * o)); // prettier-ignore
      const all = (x: np.Array[]): Record<string, unknown> => {
        const fn = (x: np.Array[]): np.Array[] => outputsOf(x, outputs);
        const [value, pull] = vjp(fn, x);
        const [, tangent] = jvp(fn, [x], [weights(x)]);
        tangent.forEach((leaf, o) => expect(leaf.dtype).toBe(value[o]!.dtype));
        // The scalar Σ weight·y, of which nothing may depend on x.
        const paired = (x: np.Array[]): np.Array =>
          weights(fn(x)).reduce(
            (sum, u, o) => sum.add(np.sum(u.mul(fn(x)[o]!.astype(np.float64)))),
            np.zeros([], { dtype: np.float64 }),
          );
        const isCast = value.some(({ dtype }) => dtype !== np.float64);
        return {
          pulled: pull(weights(value))[0],
          tangent: tangent.map((leaf) => leaf.astype(np.float64)),
          gradient: isCast ? [] : valueAndGrad(paired, x)[1],
        };
      };
      program.output("y", program.call(all as never, input as never));
      const executable = await program.compile();
      const { y } = (await executable.run({ x: x as never })) as unknown as {
        y: Record<"pulled" | "tangent" | "gradient", Tree<Tensor>[]>;
      };
      await executable.dispose();
      const plain = inPlain(args, outputs);
      const pulled = args.map((values, k) =>
        values.map((_, i) =>
          plain.reduce(
            (sum, { of, slope }, o) => sum + (of === k ? slope[i]! * weight(o, i) : 0),
            0,
          ),
        ),
      );
      const tangents = plain.map(({ of, slope }) => slope.map((s, i) => s * weight(of, i)));
      expectClose(y.pulled, pulled);
      expectClose(y.tangent, tangents);
      if (y.gradient.length > 0) expectClose(y.gradient, pulled);
    }),
    { numRuns: 60, seed: 11_071 },
  );
});

function expectClose(
  found: readonly Tree<Tensor>[],
  expected: readonly (readonly number[])[],
): void {
  expect(found.length).toBe(expected.length);
  for (const [k, leaf] of found.entries()) {
    const { data } = leaf as Tensor;
    expect(data.length).toBe(expected[k]!.length);
    // Rounding of numbers up to some hundreds.
    expected[k]!.forEach((v, i) => expect(Math.abs(Number(data[i]) - v)).toBeLessThan(1e-10));
  }
}
