/** What ONNX Runtime needs of the host that it runs on, and what a user may ask of it. */
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";

/** Where a program runs. `cuda` needs ONNX Runtime's CUDA libraries; `wasm` is for browsers. */
export type Device = "cpu" | "webgpu" | "cuda" | "wasm";

/** Where and how a program runs. */
export interface SessionOptions {
  /** Default: `cpu` in Node, `wasm` in a browser. */
  readonly device?: Device;
  /** Threads of one operator. Default: STACKELBERG_THREADS in Node's environment, else all cores. */
  readonly threads?: number;
  /**
   * Treat numbers below 1.2e-38 (float32) as zero, default false. A processor handles them many times
   * slower, and the adjoint of a long, strongly contracting inner loop decays into them. In Node the
   * runtime asks only the first session of a process, and then switches the whole JavaScript thread
   * until the process ends; in a browser there is no such switch.
   */
  readonly flushDenormals?: boolean;
  /** Let the runtime print its warnings; default false. */
  readonly log?: boolean;
  /** The runtime's own graph optimizations; default "all", "basic" for programs that use float64. */
  readonly graphOptimization?: "disabled" | "basic" | "extended" | "all";
}

/** What a host must bring: the runtime's module and the execution providers of a device. */
export interface Host {
  readonly name: "node" | "browser";
  readonly defaultDevice: Device;
  readonly devices: readonly Device[];
  /** Threads for sessions that ask for no number, as the user set it up; undefined for the runtime's choice. */
  readonly threads?: string | undefined;
  load(options: SessionOptions): Promise<Runtime>;
}

/** The part of ONNX Runtime's module that is used here. */
export interface Runtime {
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (
    type: OrtTensor.Type,
    data: OrtTensor.DataType,
    dims: readonly number[],
  ) => OrtTensor;
}
