/** Nothing is compiled twice: how many sessions the runtime is asked for. */
import { numpy as np } from "@jax-js/jax";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  bilevel,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  solve,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { compile, tensor } from "../../src/program/index.ts";
import { MOST_OPEN } from "../../src/program/program-cache.ts";

const opened = vi.hoisted(() => vi.fn<() => void>());
vi.mock(import("../../src/program/session.ts"), async (importOriginal) => {
  const session = await importOriginal();
  const openSession: typeof session.openSession = (...args) => {
    opened();
    return session.openSession(...args);
  };
  return { ...session, openSession };
});

const problem = bilevel({
  inner: (w: np.Array, lambda: np.Array, x: np.Array) =>
    np.sum(np.square(w.sub(x))).add(np.sum(np.exp(lambda).mul(np.square(w)))),
  outer: (w: np.Array, _: np.Array, x: np.Array) => np.sum(np.square(w.sub(x))),
});
const dynamics = gradientDescent({ learningRate: 0.1 });
const rule = reverse({ steps: 5, dynamics });
const pointOf = (...numbers: number[]) => ({
  rule,
  lambda: tensor(numbers),
  w: tensor(numbers),
  data: { inner: tensor(numbers), outer: tensor(numbers.map((x) => x + 1)) },
});

beforeEach(() => opened.mockClear());
afterEach(() => disposePrograms(problem));

describe("sessions opened", () => {
  test("by hypergradients: one for each shape, rule and placement, also at the same time", async () => {
    await Promise.all([
      hypergradient(problem, pointOf(0.1, 0.2)),
      hypergradient(problem, pointOf(0.3, 0.4)),
    ]);
    await hypergradient(problem, pointOf(0.5, 0.6));
    expect(opened).toHaveBeenCalledTimes(1);
    await hypergradient(problem, pointOf(0.5, 0.6, 0.7));
    expect(opened).toHaveBeenCalledTimes(2);
    await hypergradient(problem, { ...pointOf(0.5, 0.6), rule: reverse({ steps: 6, dynamics }) });
    await hypergradient(problem, { ...pointOf(0.5, 0.6), threads: 1 });
    expect(opened).toHaveBeenCalledTimes(4);
    await hypergradient(problem, pointOf(0.1, 0.2));
    expect(opened).toHaveBeenCalledTimes(4);
  });

  test("by hypergradients of problems, rules and dynamics that are made anew: one", async () => {
    const turn = (i: number) =>
      hypergradient(bilevel({ ...problem }), {
        ...pointOf(0.1 * i, 0.2),
        rule: reverse({ steps: 5, dynamics: gradientDescent({ learningRate: 0.1 }) }),
      });
    const values = await Promise.all([1, 2].map(turn));
    for (let i = 3; i <= 40; i++) values.push(await turn(i));
    expect(opened).toHaveBeenCalledTimes(1);
    expect(new Set(values.map(({ value }) => value.item())).size).toBe(40);
  });

  test("by a program that was closed because many others were used: one more, with the same result", async () => {
    const first = await hypergradient(problem, pointOf(0.1, 0.2));
    const rules = Array.from({ length: MOST_OPEN }, (_, i) => reverse({ steps: 6 + i, dynamics }));
    for (const other of rules) await hypergradient(problem, { ...pointOf(0.1, 0.2), rule: other });
    opened.mockClear();
    const again = await hypergradient(problem, pointOf(0.1, 0.2));
    expect(opened).toHaveBeenCalledTimes(1);
    expect(again.gradient).toEqual(first.gradient);
  });

  test("by functions compiled anew: one, until the last of them is disposed of", async () => {
    const make = () => compile((x: np.Array) => np.sum(np.square(x)));
    const [a, b] = [make(), make()];
    expect((await a(tensor([3, 4]))).item()).toBe(25);
    expect((await b(tensor([3, 4]))).item()).toBe(25);
    await a.dispose();
    expect((await b(tensor([6, 8]))).item()).toBe(100);
    expect(opened).toHaveBeenCalledTimes(1);
    await b.dispose();
    expect((await b(tensor([6, 8]))).item()).toBe(100);
    expect(opened).toHaveBeenCalledTimes(2);
    await b.dispose();
  });

  test("by a check: none for the hypergradient that was evaluated before", async () => {
    await checkHypergradient(problem, pointOf(0.1, 0.2));
    const byFirst = opened.mock.calls.length;
    await checkHypergradient(problem, pointOf(0.3, 0.4));
    expect(opened).toHaveBeenCalledTimes(byFirst);
  });

  test.each([1, 7])("by a run of %i outer steps: two, its start and its step", async (steps) => {
    const optimizer = gradientDescent({ learningRate: 0.1 });
    const { history } = await solve(problem, {
      ...pointOf(0.1, 0.2),
      optimizer,
      budget: { steps },
    });
    expect(history.length).toBe(steps + 1);
    expect(opened).toHaveBeenCalledTimes(2);
  });

  test("by a compiled function: one for each shape and type", async () => {
    const norm = compile((x: np.Array) => np.sum(np.square(x)));
    await Promise.all([norm(tensor([1, 2])), norm(tensor([3, 4]))]);
    await norm(tensor([5, 6]));
    expect(opened).toHaveBeenCalledTimes(1);
    await norm(tensor([1, 2, 3]));
    expect(opened).toHaveBeenCalledTimes(2);
    await norm.dispose();
  });
});
