/** ONNX Runtime in Node. */
import type { Host, Runtime } from "./host.ts";
import { disableTelemetry } from "./telemetry.ts";

export const nodeHost: Host = {
  name: "node",
  defaultDevice: "cpu",
  devices: ["cpu", "webgpu", "cuda"],
  // An empty value counts as unset.
  get threads() {
    return process.env["STACKELBERG_THREADS"] || undefined;
  },
  async load({ log }) {
    await disableTelemetry();
    const ort = await import("onnxruntime-node");
    ort.env.logLevel = log ? "warning" : "fatal";
    return ort as unknown as Runtime;
  },
};
