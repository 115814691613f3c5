/**
 * The reverse rule against PyTorch in float32 at the size of the benchmarks, on the inputs that
 * test/peers/full_size.py draws. Needs a Python with torch (STACKELBERG_PYTHON or /usr/bin/python3).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nn, numpy as np } from "@jax-js/jax";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  type Problem,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { type DType, Tensor, type TypedArray } from "../../src/program/index.ts";

interface Stored {
  readonly file: string;
  readonly shape: number[];
  readonly dtype: DType;
}

interface PeerCase {
  readonly case: string;
  readonly steps: number;
  readonly rate: number;
  readonly value: number;
  readonly data: Record<"x" | "y" | "xv" | "yv", Stored>;
  readonly w: Stored[];
  readonly lambda: Stored;
  readonly gradient: Stored;
}

interface Data {
  readonly x: np.Array;
  readonly y: np.Array;
}

const python = process.env["STACKELBERG_PYTHON"] ?? "/usr/bin/python3";
const hasTorch = spawnSync(python, ["-c", "import torch"]).status === 0;

function crossEntropy(logits: np.Array, labels: np.Array): np.Array {
  return np.sum(nn.logSoftmax(logits).mul(nn.oneHot(labels, 10)), 1).neg();
}

const affine = (x: np.Array, w: np.Array, b: np.Array): np.Array => np.dot(x, w).add(b);
const network = (w: np.Array[], x: np.Array): np.Array =>
  affine(nn.relu(affine(x, w[0]!, w[1]!)), w[2]!, w[3]!);
const logisticLoss = (w: np.Array[], { x, y }: Data): np.Array =>
  np.mean(nn.softplus(np.dot(x, w[0]!).mul(y).neg()));

const logistic = (features: number): Problem =>
  bilevel({
    inner: (w: np.Array[], l: np.Array, data: Data) =>
      logisticLoss(w, data).add(np.sum(np.exp(l).mul(np.square(w[0]!))).mul(0.5 / features)),
    outer: (w: np.Array[], _: np.Array, data: Data) => logisticLoss(w, data),
  });

const problems: Record<string, Problem> = {
  "rhg-small": logistic(60),
  "rhg-long": logistic(60),
  "rhg-medium": logistic(500),
  cleaning: bilevel({
    inner: (w: np.Array[], l: np.Array, { x, y }: Data) =>
      np.mean(nn.sigmoid(l).mul(crossEntropy(affine(x, w[0]!, w[1]!), y))),
    outer: (w: np.Array[], _: np.Array, { x, y }: Data) =>
      np.mean(crossEntropy(affine(x, w[0]!, w[1]!), y)),
  }),
  mlp: bilevel({
    inner: (w: np.Array[], l: np.Array, { x, y }: Data) => {
      const penalty = (k: number): np.Array => np.exp(l.slice(k)).mul(np.sum(np.square(w[2 * k]!)));
      return np.mean(crossEntropy(network(w, x), y)).add(penalty(0).add(penalty(1)).mul(1e-3));
    },
    outer: (w: np.Array[], _: np.Array, { x, y }: Data) => np.mean(crossEntropy(network(w, x), y)),
  }),
};

const title = hasTorch ? "PyTorch at full size" : `PyTorch at full size (${python} has no torch)`;

describe.skipIf(!hasTorch)(title, () => {
  let folder: string;
  let cases: PeerCase[];

  const load = ({ file, shape, dtype }: Stored): Tensor => {
    const { buffer, byteOffset, byteLength } = readFileSync(join(folder, file));
    const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
    const data: TypedArray = dtype === "int32" ? new Int32Array(bytes) : new Float32Array(bytes);
    return new Tensor(dtype, shape, data);
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stackelberg-peers-"));
    const script = fileURLToPath(new URL("../peers/full_size.py", import.meta.url));
    const { status, stderr } = spawnSync(python, [script, folder], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")) as PeerCase[];
  });

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    for (const problem of Object.values(problems)) await disposePrograms(problem);
  });

  // Rounding of 10² to 10³ float32 steps of sums over 10² to 10³ terms, summed in another order.
  test.each(Object.keys(problems))("%s", async (name) => {
    const peer = cases.find((item) => item.case === name)!;
    const { data, w, lambda, gradient: expected } = peer;
    const { gradient, value } = await hypergradient(problems[name]!, {
      rule: reverse({
        steps: peer.steps,
        dynamics: gradientDescent({ learningRate: peer.rate }),
      }),
      lambda: load(lambda),
      w: w.map(load),
      data: {
        inner: { x: load(data.x), y: load(data.y) },
        outer: { x: load(data.xv), y: load(data.yv) },
      },
    });
    const wanted = load(expected).data;
    const actual = (gradient as Tensor).data;
    const scale = Math.hypot(...wanted);
    const error = Math.hypot(...wanted.map((g, i) => g - actual[i]!)) / scale;
    expect(Math.abs(value.item() - peer.value) / peer.value).toBeLessThan(1e-5);
    expect(error).toBeLessThan(1e-4);
  });
});
