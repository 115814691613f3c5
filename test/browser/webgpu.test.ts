/** ONNX Runtime's WebGPU build, on the software adapter that the configuration switches on. */
import * as ort from "onnxruntime-web/webgpu";
import { expect, test } from "vitest";
import { addModel } from "./add-model.ts";

/** The part of `navigator.gpu` used here; TypeScript's DOM library does not have it yet. */
interface Gpu {
  requestAdapter(): Promise<object | null>;
}

test("onnxruntime-web runs a model on WebGPU", async ({ skip }) => {
  const { gpu } = navigator as Navigator & { gpu?: Gpu };
  const adapter = (await gpu?.requestAdapter()) ?? null;
  skip(adapter === null, "this Chromium has no WebGPU adapter");
  const session = await ort.InferenceSession.create(addModel(), {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
  });
  const x = new ort.Tensor("float32", Float32Array.of(1, 2, 3), [3]);
  const y = new ort.Tensor("float32", Float32Array.of(10, 20, 30), [3]);
  const { z } = await session.run({ x, y });
  expect(z.location).toBe("gpu-buffer");
  expect(Array.from((await z.getData(true)) as Float32Array)).toEqual([11, 22, 33]);
  await session.release();
});
