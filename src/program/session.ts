/**
 * ONNX Runtime behind one small interface. The host adapters at the edge choose the package:
 * onnxruntime-node in Node, onnxruntime-web in a browser.
 */
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";

import type { Device, Host, Runtime, SessionOptions } from "./hosts/host.ts";
import { type DType, type Shape, Tensor, type TypedArray } from "./tensors/tensor.ts";

/** The device or the runtime refused; the message says what to try. */
export class SessionError extends Error {
  readonly code = "SESSION";
}

/** An open ONNX Runtime session. */
export interface Session {
  readonly device: Device;
  /** Runs the model; names as in the graph. */
  run(
    feeds: ReadonlyMap<string, Tensor | Resident>,
    outputs: readonly string[],
  ): Promise<Resident[]>;
  /** Ends the session once the runs in progress have ended. */
  dispose(): Promise<void>;
}

/**
 * An array that stays where the runtime made it. Passing it to the next run copies nothing through
 * JavaScript; `read` copies it to the host.
 */
export class Resident {
  readonly #tensor: OrtTensor;

  constructor(ort: OrtTensor) {
    this.#tensor = ort;
  }

  /** Lengths of the axes. */
  get shape(): Shape {
    return this.#tensor.dims;
  }

  /** Element type. */
  get dtype(): DType {
    return toDType(this.#tensor.type);
  }

  /** The runtime's own tensor, for the session that made it. */
  get native(): OrtTensor {
    return this.#tensor;
  }

  /** Copies the array to the host. */
  async read(): Promise<Tensor> {
    const data = (await this.#tensor.getData()) as unknown as TypedArray;
    return new Tensor(this.dtype, this.shape, data);
  }

  /** Frees the memory. */
  dispose(): void {
    this.#tensor.dispose();
  }
}

/**
 * The runtime's graph optimizations that have nothing to find in our programs, whose common subexpressions are gone and
 * which neither are quantized nor contain a transformer's fused operators. Each looks through the whole graph, often
 * more than once: together a quarter of the time to open a session.
 */
const idlePasses = [
  "CommonSubexpressionElimination",
  ...["QDQPropagationTransformer", "DoubleQDQPairsRemover", "QDQSelectorActionTransformer"],
  ...["EnsureUniqueDQForNodeUnit", "WeightBiasQuantization", "NhwcTransformer"],
  ...["AttentionFusion", "EmbedLayerNormFusion", "GroupQueryAttentionFusion"],
  ...["SkipLayerNormFusion", "LayerNormFusion", "LayerNormFusionL1", "SimplifiedLayerNormFusion"],
  ...["BiasGeluFusion", "FastGeluFusion", "QuickGeluFusion", "BiasSoftmaxFusion"],
];

/** Loads the host's runtime and opens a session on the model. */
export async function openSession(
  bytes: Uint8Array,
  options: SessionOptions = {},
): Promise<Session> {
  const host = await currentHost();
  const device = options.device ?? host.defaultDevice;
  checkOptions(options, host, device);
  const threads = options.threads ?? defaultThreads(host);
  const runtime = await loadRuntime(host, options);
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(bytes, {
      executionProviders: providers(device, host),
      graphOptimizationLevel: options.graphOptimization ?? "all",
      logSeverityLevel: options.log ? 2 : 4,
      extra: {
        optimization: { disable_specified_optimizers: idlePasses.join(";") },
        ...(options.flushDenormals && { session: { set_denormal_as_zero: "1" } }),
      },
      ...(threads !== undefined && { intraOpNumThreads: threads }),
      ...(device === "webgpu" &&
        host.name === "browser" && { preferredOutputLocation: "gpu-buffer" as const }),
    });
  } catch (error) {
    throw new SessionError(
      `session: ONNX Runtime could not open the program on ${device}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return new OrtSession(runtime, session, device);
}

async function loadRuntime(host: Host, options: SessionOptions): Promise<Runtime> {
  try {
    return await host.load(options);
  } catch (error) {
    throw new SessionError(`session: ONNX Runtime cannot be loaded: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The adapter of the host we run on. */
export async function currentHost(): Promise<Host> {
  const isNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  return isNode
    ? (await import("./hosts/node.ts")).nodeHost
    : (await import("./hosts/browser.ts")).browserHost;
}

class OrtSession implements Session {
  readonly device: Device;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  #disposed = false;
  readonly #running = new Set<Promise<unknown>>();

  constructor(runtime: Runtime, session: InferenceSession, device: Device) {
    this.#runtime = runtime;
    this.#session = session;
    this.device = device;
  }

  async run(
    feeds: ReadonlyMap<string, Tensor | Resident>,
    outputs: readonly string[],
  ): Promise<Resident[]> {
    if (this.#disposed)
      throw new SessionError("session: it was disposed; compile the program again.");
    const native: Record<string, OrtTensor> = {};
    for (const [name, value] of feeds) {
      native[name] = value instanceof Resident ? value.native : this.#toNative(value);
    }
    const running = this.#session.run(native, [...outputs]);
    this.#running.add(running);
    const results = await running.finally(() => this.#running.delete(running));
    return outputs.map((name) => new Resident(results[name]!));
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    // The runtime computes on its own threads, on memory that a release would take from under it.
    await Promise.allSettled(this.#running);
    await this.#session.release();
  }

  #toNative({ dtype, shape, data }: Tensor): OrtTensor {
    return new this.#runtime.Tensor(toOrtType(dtype), data as OrtTensor.DataType, shape);
  }
}

/** The runtime starts as many as it is told, whatever the machine; thousands bring it to its knees. */
const mostThreads = 256;

function checkOptions(options: SessionOptions, host: Host, device: Device): void {
  if (!host.devices.includes(device)) {
    throw new SessionError(
      `session: device "${device}" does not exist here; use one of ${host.devices.join(", ")}.`,
    );
  }
  if (options.threads !== undefined) checkThreads("threads", options.threads, options.threads);
}

function defaultThreads({ threads }: Host): number | undefined {
  if (threads === undefined) return undefined;
  return checkThreads("STACKELBERG_THREADS", Number(threads), threads);
}

function checkThreads(name: string, threads: number, given: unknown): number {
  if (Number.isSafeInteger(threads) && threads >= 1 && threads <= mostThreads) return threads;
  throw new SessionError(
    `session: ${name} must be a whole number from 1 to ${mostThreads}, got ${String(given)}.`,
  );
}

/** Kernels a GPU lacks run on the CPU in Node; a browser has one provider, or says that it has none. */
function providers(device: Device, host: Host): string[] {
  return host.name === "node" && device !== "cpu" ? [device, "cpu"] : [device];
}

function toOrtType(dtype: DType): OrtTensor.Type {
  return dtype;
}

function toDType(type: OrtTensor.Type): DType {
  return type as DType;
}
