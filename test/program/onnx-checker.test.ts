/**
 * Programs are valid ONNX by the checker of the onnx Python package, with shapes inferred strictly.
 * Left out, with the reason in its name, where /usr/bin/python3 has no onnx.
 */
import { grad, init, lax, nn, numpy as np, random } from "@jax-js/jax";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";

import { toOnnx } from "../../src/program/compile.ts";
import type { Value } from "../../src/program/ir.ts";
import { Program } from "../../src/program/program.ts";
import { ArraySpec } from "../../src/program/trace/trace.ts";
import { tensor } from "../../src/program/tensors/tensor.ts";

const python = "/usr/bin/python3";

const probe = spawnSync(python, ["-c", "import onnx; print(onnx.__version__)"], {
  encoding: "utf8",
});
const missing = probe.status !== 0;

beforeAll(() => init("cpu"));

const f32 = (...shape: number[]): ArraySpec => new ArraySpec(shape, "float32");
const f64 = (...shape: number[]): ArraySpec => new ArraySpec(shape, "float64");
const i32 = (...shape: number[]): ArraySpec => new ArraySpec(shape, "int32");

const models: Readonly<Record<string, () => Uint8Array>> = {
  "elementwise, broadcast, reduced": () =>
    toOnnx((x: np.Array, y: np.Array) => np.sum(np.tanh(x.mul(y)).add(1), 0), [f32(4, 3), f32(3)]),
  "integers and booleans": () =>
    toOnnx(
      (x: np.Array, y: np.Array) => np.where(x.less(y), x.mod(y), np.max(x)).astype(np.bool),
      [i32(4), i32(4)],
    ),
  "a classifier's gradient": () =>
    toOnnx(
      (w: np.Array, x: np.Array) =>
        grad((v: np.Array) => np.negative(np.mean(nn.logSoftmax(np.dot(x, v)).slice([], 0))))(w),
      [f32(5, 3), f32(8, 5)],
    ),
  "reading and its gradient": () =>
    toOnnx(
      (table: np.Array, at: np.Array) =>
        grad((t: np.Array) => np.sum(np.square(np.take(t, at, 0))))(table),
      [f32(6, 4), i32(3)],
    ),
  sorting: () => toOnnx((x: np.Array) => [np.sort(x), np.argsort(x)], [f32(3, 5)]),
  "Cholesky factor and its gradient": () =>
    toOnnx(
      (a: np.Array) => grad((x: np.Array) => np.sum(np.square(lax.linalg.cholesky(x))))(a),
      [f64(4, 4)],
    ),
  "LU factors": () => toOnnx((a: np.Array) => lax.linalg.lu(a), [f32(4, 3)]),
  eigenvalues: () => toOnnx((a: np.Array) => lax.linalg.eigh(a)[1], [f32(4, 4)]),
  "a scan": () => {
    const program = new Program("scan");
    const { start, xs } = program.input("in", { start: f32(2), xs: f32(5, 2) });
    const [carry, ys] = program.scan(
      { length: 5, reverse: true },
      (state: Value, x: Value) => {
        const next = program.call((s: np.Array, a: np.Array) => np.sin(s).add(a), state, x);
        return [next, program.call((s: np.Array) => np.sum(s), next)];
      },
      start,
      xs as never,
    );
    program.output("carry", carry);
    program.output("ys", ys);
    return program.toOnnx();
  },
  "a while loop around a scan": () => {
    const program = new Program("while");
    const start = program.input("start", tensor([1, 2]));
    const { carry, steps } = program.while(
      { limit: 50 },
      (x: Value) => program.call((a: np.Array) => np.sum(a).less(1000), x),
      (x: Value) =>
        program.scan(
          { length: 3 },
          (state: Value) => [program.call((s: np.Array) => s.mul(1.5), state), []],
          x,
        )[0],
      start,
    );
    program.output("carry", carry);
    program.output("steps", steps);
    return program.toOnnx();
  },
};

const check = `
import sys, onnx
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, strict_mode=True)
    print("valid", model.opset_import[0].version)
`;

test.skipIf(missing)(
  missing
    ? `left out: ${python} cannot import onnx (${probe.stderr?.trim().split("\n").pop() ?? "no python3"})`
    : `onnx ${probe.stdout.trim()} accepts every model`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "stackelberg-onnx-"));
    try {
      const paths = Object.entries(models).map(([name, build], i) => {
        const path = join(folder, `${i}-${name.replaceAll(/\W+/g, "-")}.onnx`);
        writeFileSync(path, build());
        return path;
      });
      const { stdout, stderr, status } = spawnSync(python, ["-c", check, ...paths], {
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      expect(status).toBe(0);
      expect(stdout.trim().split("\n")).toEqual(paths.map(() => "valid 17"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("random bits need the newer operator set", () => {
  const bytes = toOnnx((key: np.Array) => random.bits(key, [3]), [new ArraySpec([2], "uint32")]);
  const text = Buffer.from(bytes).toString("latin1");
  expect(text).toContain("BitShift");
  // opset_import { version: 26 } is the model's field 8 with field 2 inside.
  expect(text).toContain("\x10\x1a");
});
