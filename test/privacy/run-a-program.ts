/**
 * Runs a program, in its own process, and waits for the end of stdin. `run-a-program.ts library` uses the library, `worker` the
 * same in a worker thread, `runtime` ONNX Runtime alone, which shows what it does when nobody tells it otherwise.
 */
import { text } from "node:stream/consumers";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { numpy as np } from "@jax-js/jax";
import { ArraySpec, toOnnx } from "../../src/program/index.ts";
import { compile, tensor } from "../../src/index.ts";

const square = (x: np.Array): np.Array => np.sum(np.square(x));
const how = isMainThread ? process.argv[2] : String(workerData);

if (how === "runtime") {
  const ort = await import("onnxruntime-node");
  await ort.InferenceSession.create(toOnnx(square, [new ArraySpec([3], "float32")]));
  console.log("ran");
} else if (how === "worker" && isMainThread) {
  // tsx does not follow into workers on Node 20.
  const api = import.meta.resolve("tsx/esm/api");
  const code = `import("${api}").then(({ register }) => (register(), import("${import.meta.url}")))`;
  new Worker(code, { eval: true, workerData: "library" });
} else {
  console.log(`ran ${(await compile(square)(tensor([1, 2, 3]))).item()}`);
}
if (isMainThread) await text(process.stdin);
