/** The two runtimes below Stackelberg start in a browser, from this machine's files alone. */
import { grad, init, numpy as np } from "@jax-js/jax";
import * as ort from "onnxruntime-web";
import { afterEach, expect, test, vi } from "vitest";
import { addModel } from "./add-model.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the page is cross-origin isolated, so WebAssembly may use threads", () => {
  expect(crossOriginIsolated).toBe(true);
  expect(typeof SharedArrayBuffer).toBe("function");
});

test("onnxruntime-web runs a model as WebAssembly on two threads", async () => {
  ort.env.wasm.numThreads = 2;
  const session = await ort.InferenceSession.create(addModel(), { executionProviders: ["wasm"] });
  const x = new ort.Tensor("float32", Float32Array.of(1, 2, 3), [3]);
  const y = new ort.Tensor("float32", Float32Array.of(10, 20, 30), [3]);
  const { z } = await session.run({ x, y });
  expect(Array.from(z.data as Float32Array)).toEqual([11, 22, 33]);
  expect(ort.env.wasm.numThreads).toBe(2);
  await session.release();
});

test("every file the page loaded came from the page's own origin", () => {
  const origins = performance
    .getEntriesByType("resource")
    .map((entry) => new URL(entry.name))
    .filter((url) => url.protocol.startsWith("http"))
    .map((url) => url.origin);
  expect(origins.length).toBeGreaterThan(0);
  expect(new Set(origins)).toEqual(new Set([location.origin]));
});

test("jax-js differentiates on its CPU back end", async () => {
  expect(await init("cpu")).toContain("cpu");
  const gradient = grad((x: np.Array) => np.sum(x.ref.mul(x)))(np.array([1, -2, 3]));
  expect(await gradient.jsAsync()).toEqual([2, -4, 6]);
});
