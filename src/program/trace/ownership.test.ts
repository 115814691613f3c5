import { type Array as JaxArray, grad, jvp, makeJaxpr, numpy as np, vjp, vmap } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { tracerPrototypes, withBorrowedArrays } from "./ownership.ts";

type Objective = (w: JaxArray, x: JaxArray) => JaxArray;

const counted: Objective = (w, x) => {
  const z = np.dot(x.ref, w.ref);
  return np.mean(np.square(z.ref).add(z)).add(np.sum(w.ref.mul(w)).mul(0.1));
};

const uncounted: Objective = (w, x) => {
  const z = np.dot(x, w);
  return np.mean(np.square(z).add(z)).add(np.sum(w.mul(w)).mul(0.1));
};

const transformations: Record<string, (f: Objective) => (w: JaxArray, x: JaxArray) => unknown> = {
  value: (f) => f,
  grad: (f) => (w, x) => grad((v: JaxArray) => f(v, x))(w),
  "vjp of grad": (f) => (w, x) => {
    const [out, pull] = vjp((v: JaxArray) => grad((u: JaxArray) => f(u, x))(v), [w]);
    return pull(out);
  },
  "jvp of grad": (f) => (w, x) => jvp((v: JaxArray) => grad((u: JaxArray) => f(u, x))(v), [w], [w]),
  "vmap of grad": (f) => (w, x) =>
    vmap((row: JaxArray) => grad((v: JaxArray) => f(v, row.reshape([1, 3])))(w))(x),
};

function jaxpr(f: (w: JaxArray, x: JaxArray) => unknown): string {
  const make = makeJaxpr(f as (w: JaxArray, x: JaxArray) => JaxArray);
  return withBorrowedArrays(() => make(np.zeros([3]), np.zeros([4, 3])).jaxpr.toString());
}

describe("borrowed arrays", () => {
  test("the tracer classes of this jax-js are known", () => {
    const names = tracerPrototypes().map((prototype) => prototype.constructor.name);
    expect(names.toSorted()).toEqual([
      "BatchTracer",
      "JVPTracer",
      "JaxprTracer",
      "PartialEvalTracer",
    ]);
  });

  test.each(Object.keys(transformations))("%s: with and without .ref trace alike", (name) => {
    const transform = transformations[name]!;
    expect(jaxpr(transform(uncounted))).toBe(jaxpr(transform(counted)));
  });

  test("a captured array stays alive", () => {
    const captured = np.array([1, 2, 3]);
    const make = makeJaxpr((x: JaxArray) => x.mul(captured).add(captured));
    withBorrowedArrays(() => make(np.zeros([3])));
    expect(captured.refCount).toBe(1);
    expect(captured.js()).toEqual([1, 2, 3]);
  });

  test("outside, jax-js counts references as ever", () => {
    withBorrowedArrays(() => undefined);
    const x = np.array([1, 2]);
    x.dispose();
    expect(() => x.add(1)).toThrow(/freed|dispose|ref/i);
  });

  test("an exception inside restores the counting", () => {
    expect(() =>
      withBorrowedArrays(() => {
        throw new Error("inner");
      }),
    ).toThrow("inner");
    const x = np.array([1, 2]);
    x.dispose();
    expect(() => x.add(1)).toThrow();
  });

  test("bare numbers keep all their digits", () => {
    const text = withBorrowedArrays(() =>
      makeJaxpr((x: JaxArray) => x.mul(0.1).add(1 / 3))(np.zeros([], { dtype: np.float64 })),
    ).jaxpr.toString();
    expect(text).toContain("mul a 0.1\n");
    expect(text).toContain("0.3333333333333333");
  });
});
