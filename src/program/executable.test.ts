import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { describe, expect, test, vi } from "vitest";

import { compile, toOnnx } from "./compile.ts";
import type { Executable } from "./executable.ts";
import { Program } from "./program.ts";
import { SessionError } from "./session.ts";
import { type Tensor, tensor, zeros } from "./tensors/tensor.ts";
import { ArraySpec } from "./trace/trace.ts";

async function affine(): Promise<Executable> {
  const program = new Program("affine");
  const { a, x } = program.input("point", {
    a: new ArraySpec([2, 3], "float32"),
    x: new ArraySpec([3], "float32"),
  });
  const shift = program.input("shift", 0);
  const y = program.call(
    (a: JaxArray, x: JaxArray, s: JaxArray) => np.dot(a, x).add(s),
    a,
    x,
    shift,
  );
  program.output("y", { y, twice: [program.call((y: JaxArray) => y.mul(2), y)] });
  return program.compile();
}

const point = {
  a: tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]),
  x: tensor([1, 0, -1]),
};

describe("a compiled program", () => {
  test("takes and returns named trees; a bare number means itself", async () => {
    const executable = await affine();
    const { y } = await executable.run({ point, shift: 10 });
    expect(y).toEqual({ y: tensor([8, 8]), twice: [tensor([16, 16])] });
    await executable.dispose();
  });

  test("that is disposed of while it runs ends its run first", async () => {
    const executable = await affine();
    const running = executable.run({ point, shift: 10 });
    await executable.dispose();
    expect((await running)["y"]).toEqual({ y: tensor([8, 8]), twice: [tensor([16, 16])] });
    await expect(executable.run({ point, shift: 1 })).rejects.toThrow(/was disposed/);
  });

  test("leaves its inputs unchanged", async () => {
    const executable = await affine();
    const x = Float32Array.of(1, 2, 3);
    await executable.run({ point: { ...point, x }, shift: 1 });
    expect([...x]).toEqual([1, 2, 3]);
    await executable.dispose();
  });

  test("what stays on the device goes into the next run", async () => {
    const program = new Program("double");
    const x = program.input("x", tensor([1, 2]));
    program.output(
      "x",
      program.call((x: JaxArray) => x.mul(2), x),
    );
    const executable = await program.compile();
    let inputs: Record<string, never> = { x: tensor([1, 2]) } as never;
    for (let i = 0; i < 5; i++) inputs = (await executable.runResident(inputs)) as never;
    const last = inputs["x"] as { read(): Promise<Tensor> };
    expect((await last.read()).toNested()).toEqual([32, 64]);
    await executable.dispose();
  });

  test.each<[string, Record<string, never>, RegExp]>([
    ["a missing input", { shift: 1 } as never, /^affine: input "point" is missing\.$/],
    [
      "an unknown input",
      { point, shift: 1, lr: 2 } as never,
      /has no input "lr"; its inputs are point, shift/,
    ],
    ["another tree", { point: [point.a], shift: 1 } as never, /must be a tree like .*a.*x/],
    [
      "another shape",
      { point: { ...point, x: zeros([4]) }, shift: 1 } as never,
      /input "point" leaf 1 must be float32\[3\], got float32\[4\]/,
    ],
    [
      "another type",
      { point: { ...point, x: zeros([3], "float64") }, shift: 1 } as never,
      /leaf 1 must be float32\[3\], got float64\[3\]/,
    ],
  ])("%s is refused by name", async (_, inputs, message) => {
    const executable = await affine();
    await expect(executable.run(inputs)).rejects.toThrow(message);
    await executable.dispose();
  });

  test("says so when it was disposed", async () => {
    const executable = await affine();
    await executable.dispose();
    await executable.dispose();
    await expect(executable.run({ point, shift: 1 })).rejects.toThrow(/disposed; compile/);
  });

  test.each<[Parameters<Program["compile"]>[0], RegExp]>([
    [{ device: "wasm" }, /device "wasm" does not exist here; use one of cpu, webgpu, cuda/],
    [{ threads: 0 }, /threads must be a whole number from 1 to 256, got 0/],
  ])("refuses %j", async (options, message) => {
    const program = new Program();
    program.output("x", program.input("x", 1));
    const refused = program.compile(options);
    await expect(refused).rejects.toBeInstanceOf(SessionError);
    await expect(refused).rejects.toThrow(message);
  });

  test.each(["0", "1.5", "two", "257"])("refuses STACKELBERG_THREADS=%s", async (threads) => {
    vi.stubEnv("STACKELBERG_THREADS", threads);
    const program = new Program();
    program.output("x", program.input("x", 1));
    await expect(program.compile()).rejects.toThrow(
      `STACKELBERG_THREADS must be a whole number from 1 to 256, got ${threads}`,
    );
    // A number that is given comes first, and an empty value is none.
    await (await program.compile({ threads: 1 })).dispose();
    vi.stubEnv("STACKELBERG_THREADS", "");
    await (await program.compile()).dispose();
    vi.unstubAllEnvs();
  });
});

describe("compile", () => {
  test("traces once per shapes and types, and forgets a failed compilation", async () => {
    let traces = 0;
    const compiled = compile((x: JaxArray) => {
      traces++;
      return np.sum(x);
    });
    await compiled(tensor([1, 2]));
    await compiled(tensor([3, 4]));
    expect(traces).toBe(1);
    await compiled(tensor([1, 2, 3]));
    await compiled(tensor([1, 2], { dtype: "float64" }));
    expect(traces).toBe(3);
    await compiled.dispose();
  });

  test("its bytes run in another runtime", async () => {
    const f = (w: JaxArray, x: JaxArray): JaxArray => np.mean(np.square(np.dot(x, w)));
    const bytes = toOnnx(f, [new ArraySpec([3], "float32"), new ArraySpec([4, 3], "float32")]);
    const ort = await import("onnxruntime-web/wasm");
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(bytes);
    const w = Float32Array.of(1, -2, 0.5);
    const x = Float32Array.from({ length: 12 }, (_, i) => Math.cos(i));
    const { "out.result.0": result } = await session.run({
      "in.argument0.0": new ort.Tensor("float32", w, [3]),
      "in.argument1.0": new ort.Tensor("float32", x, [4, 3]),
    });
    const rows = [0, 1, 2, 3].map((i) => x[3 * i]! * 1 + x[3 * i + 1]! * -2 + x[3 * i + 2]! * 0.5);
    const expected = rows.reduce((sum, z) => sum + z * z, 0) / 4;
    expect((result!.data as Float32Array)[0]).toBeCloseTo(expected, 5);
    await session.release();
  });
});
