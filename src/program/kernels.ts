/**
 * What ONNX Runtime offers on this machine beyond ONNX's own operators, found by trying it: a kernel that is not there,
 * or does not compute what we expect, is not used.
 */
import type { Block } from "./ir.ts";
import { walk } from "./ir.ts";
import { blockedDomain, convolveBlocked } from "./lower/conv/blocked.ts";
import type { Convolution } from "./lower/conv/spec.ts";
import { OperationContext, type Kernels } from "./lower/context.ts";
import { Lowering } from "./lower/lowering.ts";
import { encodeModel, type NodeSpec } from "./onnx.ts";
import type { SessionOptions } from "./hosts/host.ts";
import { currentHost, openSession } from "./session.ts";
import { castTensor, type Tensor } from "./tensors/tensor.ts";

let blockedConvolutions: Promise<Kernels> | undefined;

/** The kernels for a program on a device; looked for once in a process, and only for a program that has use for them. */
export async function findKernels(block: Block, options: SessionOptions): Promise<Kernels> {
  const host = await currentHost();
  const device = options.device ?? host.defaultDevice;
  // The kernels exist in builds for other processors too, but not the machine code behind them.
  const isThere = host.name === "node" && device === "cpu" && process.arch === "x64";
  if (!isThere || !hasConvolution(block)) return {};
  return (blockedConvolutions ??= tryBlocks(options));
}

function hasConvolution(block: Block): boolean {
  for (const operation of walk(block)) {
    if (operation.kind === "apply" && operation.primitive === "conv") return true;
  }
  return false;
}

/** The block is a register's width; with another one the filter's numbers end up in other places. */
async function tryBlocks({ flushDenormals, log }: SessionOptions): Promise<Kernels> {
  // The first session of a process decides about denormals for all.
  const options = { device: "cpu", threads: 1, ...(flushDenormals && { flushDenormals }) } as const;
  for (const block of [16, 8]) {
    try {
      const session = await openSession(probe(block), options);
      const feeds = new Map([
        ["x", wave(data)],
        ["w", wave(filter)],
      ]);
      const [plain, blocked] = await session.run(feeds, ["plain", "blocked"]);
      const [a, b] = [(await plain!.read()).data, (await blocked!.read()).data];
      await session.dispose();
      if (a.every((value, i) => Math.abs(Number(value) - Number(b[i])) < 1e-3)) {
        return { convolutionBlock: block };
      }
    } catch (error) {
      // Without the operators there is nothing to use.
      if (log) process.emitWarning(error as Error);
    }
  }
  return {};
}

const data = [1, 32, 5, 4];
const filter = [32, 32, 3, 3];

/** A model that convolves the same data both ways. */
function probe(block: number): Uint8Array {
  const nodes: NodeSpec[] = [];
  const lowering = new Lowering({ apply: {}, unknown: never, onDemand: new Set() }, 17, {
    parameters: [],
    operations: [],
    results: [],
  });
  const context = new OperationContext(lowering, nodes);
  const conv: Convolution = {
    lhs: "x",
    rhs: "w",
    batch: 1,
    groups: 1,
    inChannels: 32,
    outChannels: 32,
    spatial: data.slice(2),
    kernel: filter.slice(2),
    output: data.slice(2),
    dtype: "float32",
    strides: [1, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
    lhsDilation: [1, 1],
    rhsDilation: [1, 1],
  };
  const blocked = convolveBlocked(context, conv, "x", conv.padding, block);
  const pads = { pads: { ints: [1, 1, 1, 1] } };
  nodes.push({ op: "Conv", inputs: ["x", "w"], outputs: ["plain"], attributes: pads });
  nodes.push({ op: "Identity", inputs: [blocked], outputs: ["blocked"] });
  const array = (name: string, dims: readonly number[]) =>
    ({ name, type: "float32", dims }) as const;
  return encodeModel({
    irVersion: 8,
    opsets: { "": 17, [blockedDomain]: 1 },
    graph: {
      name: "probe",
      nodes,
      inputs: [array("x", data), array("w", filter)],
      outputs: [array("plain", data), array("blocked", data)],
      initializers: lowering.initializers,
    },
  });
}

function never(): never {
  throw new Error("kernels: a probe has no operations to lower.");
}

function wave(shape: readonly number[]): Tensor {
  const length = shape.reduce((product, n) => product * n, 1);
  return castTensor(
    Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i)),
    { shape },
  );
}
