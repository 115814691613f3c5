/** Convolutions of every kind, drawn at random, with their operands. */
import { lax, type numpy as np, vmap } from "@jax-js/jax";
import fc from "fast-check";
import { expect } from "vitest";

import {
  compile,
  type DType,
  type JaxFunction,
  type Tensor,
  tensor,
} from "../../src/program/index.ts";

type Pair = [number, number];
type Mode = "plain" | "lhs" | "rhs" | "both" | "nested";

export interface Case {
  readonly mode: Mode;
  readonly batch: number;
  readonly channels: Pair;
  /** One entry per spatial axis. */
  readonly axes: readonly Axis[];
}

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Pair;
  readonly lhsDilation: number;
  readonly rhsDilation: number;
}

/** The cases of every run; a failure prints its own seed and path besides. */
export const seed: number = 20_261_122;

const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const axis: fc.Arbitrary<Axis> = fc
  .record({
    size: small(6),
    kernel: small(4),
    stride: small(3),
    padding: fc.tuple(fc.integer({ min: -2, max: 3 }), fc.integer({ min: -2, max: 3 })),
    lhsDilation: small(3),
    rhsDilation: small(3),
  })
  .filter(({ size, kernel, padding: [before, after], lhsDilation, rhsDilation }) => {
    const reach = (kernel - 1) * rhsDilation + 1;
    const given = (size - 1) * lhsDilation + 1 + before + after;
    return reach <= given && Math.min(before, after, before + after) >= -size;
  });
export const cases: fc.Arbitrary<Case> = fc.record({
  mode: fc.constantFrom<Mode>("plain", "lhs", "rhs", "both", "nested"),
  batch: small(2),
  channels: fc.tuple(small(3), small(3)),
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
});

const inAxes: Record<Exclude<Mode, "plain" | "nested">, [number | null, number | null]> = {
  lhs: [0, null],
  rhs: [null, 0],
  both: [0, 0],
};

/** The convolution of a case, on lhs and rhs with its leading axes. */
export function convolution({ mode, axes }: Case): JaxFunction {
  const plain = (x: np.Array, w: np.Array): np.Array =>
    lax.convGeneralDilated(
      x,
      w,
      axes.map(({ stride }) => stride),
      axes.map(({ padding }) => padding),
      {
        lhsDilation: axes.map(({ lhsDilation }) => lhsDilation),
        rhsDilation: axes.map(({ rhsDilation }) => rhsDilation),
      },
    );
  if (mode === "plain") return plain;
  if (mode === "nested") return vmap(vmap(plain, inAxes.lhs), inAxes.rhs);
  return vmap(plain, inAxes[mode]);
}

export function operands({ mode, batch, channels, axes }: Case, dtype: DType): [Tensor, Tensor] {
  const [input, output] = channels;
  const lead = {
    plain: [[], []],
    lhs: [[2], []],
    rhs: [[], [3]],
    both: [[2], [2]],
    nested: [[2], [3]],
  };
  const [left, right] = lead[mode] as [number[], number[]];
  return [
    wave([...left, batch, input, ...axes.map(({ size }) => size)], 0.3, dtype),
    wave([...right, output, input, ...axes.map(({ kernel }) => kernel)], 1.1, dtype),
  ];
}

/** Numbers without pattern in [-1, 1], or small whole ones. */
export function wave(shape: number[], phase: number, dtype: DType): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  const values = Array.from({ length: size }, (_, i) => Math.sin(phase + 1.7 * i + 0.13 * i * i));
  return tensor(dtype === "int32" ? values.map((v) => Math.round(5 * v)) : values, {
    shape,
    dtype,
  });
}

/** The greatest difference, after checking that the shapes agree. */
export function distance(actual: Tensor, wanted: Tensor): number {
  expect(actual.shape).toEqual(wanted.shape);
  return Math.max(
    0,
    ...Array.from(actual.data, (v, i) => Math.abs(Number(v) - Number(wanted.data[i]))),
  );
}

export async function run(fn: JaxFunction, args: Tensor[]): Promise<Tensor[]> {
  const compiled = compile(fn);
  try {
    const result = (await compiled(...args)) as unknown as Tensor | Tensor[];
    return Array.isArray(result) ? result : [result];
  } finally {
    await compiled.dispose();
  }
}
