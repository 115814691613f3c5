import { type Array as JaxArray, grad, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { tensor } from "../tensors/tensor.ts";
import { Program } from "../program.ts";
import {
  ArraySpec,
  checkScalarObjective,
  forbidCapture,
  outputSpec,
  trace,
  TraceError,
} from "./trace.ts";

const vector = (n: number): ArraySpec => new ArraySpec([n], "float32");

describe("trace", () => {
  test("flattens nested jit and lists captured constants first", () => {
    const captured = np.array([1, 2, 3]);
    const { jaxpr, constants } = trace((x: JaxArray) => np.dot(x, captured), [vector(3)]);
    expect(constants.map(String)).toEqual(["float32[3]"]);
    expect(constants[0]!.toNested()).toEqual([1, 2, 3]);
    expect(jaxpr.inBinders).toHaveLength(2);
  });

  test("names the function, its arguments and the clash of shapes", () => {
    function loss(x: JaxArray, y: JaxArray): JaxArray {
      return np.sum(x.add(y));
    }
    expect(() => trace(loss, [vector(3), vector(4)])).toThrow(
      /^loss: Incompatible array broadcast shapes: 3 vs 4 \(argument 1: float32\[3\]; argument 2: float32\[4\]\)\. Try: check the shapes/,
    );
  });

  test("says what to do about an objective that is not a scalar inside grad", () => {
    expect(() => trace((x: JaxArray) => grad((v: JaxArray) => v.mul(2))(x), [vector(2)])).toThrow(
      /requires a scalar output.*np\.mean/,
    );
  });

  test.each([
    [undefined, "it returns undefined; end the function with return and an array."],
    [Promise.resolve(1), "it returns a promise; write a function that is not async."],
    [tensor([1]), "it returns a Tensor, which only the host computes with; take it from"],
    ["one", 'it returns "one"; return a jax-js array.'],
    [{ loss: undefined }, "it returns undefined; end the function"],
  ])("refuses a result that is no array: %s", (result, sentence) => {
    expect(() => trace(() => result, [vector(2)], "inner")).toThrow(`inner: ${sentence}`);
  });

  test("says what a Tensor, a misspelt name or a mixture of types inside the function is", () => {
    const host = tensor([1, 2]);
    expect(() => trace((x: JaxArray) => x.mul(host as never), [vector(2)], "inner")).toThrow(
      "inner: it computes with a Tensor, float32[2], which is an array of the host; take it from the function's arguments",
    );
    const misspelt = (data: { x: JaxArray; y?: JaxArray }): JaxArray => data.x.mul(data.y!);
    expect(() => trace(misspelt, [{ x: vector(2) }], "inner")).toThrow(
      "inner: it computes with undefined; look for a misspelt name",
    );
    const deeper = (data: { x: JaxArray; y?: JaxArray }): JaxArray => data.y!.mul(data.x);
    expect(() => trace(deeper, [{ x: vector(2) }], "inner")).toThrow(
      "inner: something that it takes apart is undefined (reading 'mul'); look for a misspelt name",
    );
    const mixed = (w: JaxArray): JaxArray =>
      grad((w: JaxArray) => np.sum(np.square(w.astype(np.float64))))(w);
    expect(() => trace(mixed, [vector(2)], "inner")).toThrow(
      "inner: floating-point types meet, and jax-js does not differentiate the cast between them; give the weights",
    );
  });

  test("float64 arrays may be made inside, with all their digits, and Float16Array is as before", () => {
    const before = "Float16Array" in globalThis;
    const scaled = (x: JaxArray): JaxArray => x.mul(np.array([0.1, 1 / 3], { dtype: np.float64 }));
    const { constants } = trace(scaled, [new ArraySpec([2], "float64")]);
    expect(constants[0]!.toNested()).toEqual([0.1, 1 / 3]);
    expect("Float16Array" in globalThis).toBe(before);
  });

  test("says what to do about integer parameters", () => {
    const integers = new ArraySpec([2], "int32");
    expect(() => trace((x: JaxArray) => grad((v: JaxArray) => v.sum())(x), [integers])).toThrow(
      /floating-point.*cast them to float32/,
    );
  });

  test("refuses a hyperparameter read from the closure, by name", () => {
    const lambda = np.array([1, 2]);
    const objective = (w: JaxArray): JaxArray => np.sum(w.mul(lambda));
    const watched = new Map<unknown, string>([[lambda, "lambda.l2"]]);
    expect(() => forbidCapture(watched, () => trace(objective, [vector(2)], "inner"))).toThrow(
      "inner: it reads lambda.l2 from its closure, so its derivative would be lost; take lambda from the function's arguments instead.",
    );
    expect(() => trace(objective, [vector(2)])).not.toThrow();
  });

  test("a captured scalar hyperparameter is refused too, though jax-js makes it a number", () => {
    const rate = np.array(0.5);
    const watched = new Map<unknown, string>([[rate, "lambda[0]"]]);
    const objective = (w: JaxArray): JaxArray => np.sum(w.mul(rate));
    expect(() => forbidCapture(watched, () => trace(objective, [vector(2)], "inner"))).toThrow(
      "inner: it reads lambda[0] from its closure, so its derivative would be lost; take lambda from",
    );
  });

  test("reports the output's tree, shapes and types", () => {
    const spec = outputSpec((x: JaxArray) => ({ a: x.sum(), b: [x] }), [vector(3)]);
    expect(spec).toEqual({ a: new ArraySpec([], "float32"), b: [vector(3)] });
  });

  test.each<[string, (x: JaxArray) => unknown, RegExp]>([
    ["a vector", (x) => x, /^outer objective: must return a scalar, it returns float32\[3\]/],
    ["two arrays", (x) => [x.sum(), x], /must return one scalar, it returns 2 arrays/],
    ["an integer", (x) => x.sum().astype(np.int32), /floating-point scalar, it returns int32/],
  ])("an objective that returns %s is refused", (_, fn, message) => {
    expect(() => checkScalarObjective(fn, [vector(3)], "outer objective")).toThrow(message);
  });

  test("keeps the cause", () => {
    const cause = new Error("mine");
    const fails = (): never => {
      throw cause;
    };
    try {
      trace(fails, []);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(TraceError);
      expect((error as Error).cause).toBe(cause);
    }
  });
});

test("a program traces a function once for arrays of the same types", () => {
  let traced = 0;
  const double = (x: JaxArray): JaxArray => {
    traced++;
    return x.mul(2);
  };
  const program = new Program("twice");
  const { a, b, c } = program.input("in", { a: vector(3), b: vector(3), c: vector(4) });
  program.call(double, a);
  program.call(double, b);
  expect(traced).toBe(1);
  program.call(double, c);
  program.call((x: JaxArray) => double(x), a);
  expect(traced).toBe(3);
});
