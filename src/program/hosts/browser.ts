/** ONNX Runtime in a browser, as WebAssembly or WebGPU. */
import type { Host, Runtime } from "./host.ts";

export const browserHost: Host = {
  name: "browser",
  defaultDevice: "wasm",
  devices: ["wasm", "webgpu"],
  async load({ device, threads, log }) {
    const ort =
      device === "webgpu"
        ? await import("onnxruntime-web/webgpu")
        : await import("onnxruntime-web/wasm");
    ort.env.logLevel = log ? "warning" : "fatal";
    // WebAssembly threads need a cross-origin isolated page; without one the runtime uses one thread.
    ort.env.wasm.numThreads = globalThis.crossOriginIsolated
      ? (threads ?? navigator.hardwareConcurrency)
      : 1;
    return ort as unknown as Runtime;
  },
};
