/** A program's block as an ONNX model: the table of lowering rules, one file a family of primitives. */
import { type Apply, type Block, walk } from "../ir.ts";
import { encodeModel, type ValueSpec } from "../onnx.ts";
import type { Binding } from "../binding.ts";
import { elementType, type Lower } from "./context.ts";
import { dot } from "./contract.ts";
import { conv } from "./conv/conv.ts";
import { elementwise } from "./elementwise.ts";
import { fft } from "./fft.ts";
import { gather } from "./gather.ts";
import { hardSigmoid } from "./hard-sigmoid.ts";
import { indicator } from "./indicator.ts";
import { Lowering, type LoweringOptions } from "./lowering.ts";
import { movement } from "./movement.ts";
import { maxPool, pool, poolTranspose, reduceWindows } from "./pool.ts";
import { randomBits } from "./random.ts";
import { reduce } from "./reduce.ts";
import { withRepeats } from "./repeat.ts";
import { scatter } from "./scatter.ts";
import { argsort, sort } from "./sort.ts";

const rules: Readonly<Record<string, Lower | undefined>> = {
  ...withRepeats({
    ...elementwise,
    where: (context, operation) => {
      const cast = indicator(context, operation);
      return cast === undefined ? elementwise["where"]!(context, operation) : [cast];
    },
    min: (context, operation) => {
      const sigmoid = hardSigmoid(context, operation);
      return sigmoid === undefined ? elementwise["min"]!(context, operation) : [sigmoid];
    },
  }),
  ...movement,
  reduce: (context, operation) => {
    const pooled = maxPool(context, operation) ?? reduceWindows(context, operation);
    return pooled === undefined ? reduce(context, operation) : [pooled];
  },
  dot,
  conv,
  pool,
  pool_transpose: poolTranspose,
  fft,
  gather,
  scatter,
  random_bits: randomBits,
  sort,
  argsort,
};

/** Movement that a product or an elementwise node folds in. */
const onDemand: ReadonlySet<string> = new Set(["transpose", "broadcast", "reshape"]);

/** The operator set every runtime and checker of the last years knows. */
const commonOpset = 17;

/** BitCast, and integer bit operations, need this one. */
const bitsOpset = 26;

const needsBits = new Set([
  "bitcast",
  "bit_combine",
  "bit_shift",
  "bit_count",
  "random_bits",
  "fft",
]);

/** The primitive has no ONNX form here. */
export class LoweringError extends Error {
  readonly code = "LOWERING";
}

export function encodeProgram(
  name: string,
  block: Block,
  inputs: readonly Binding[],
  outputs: readonly Binding[],
  options?: LoweringOptions,
): Uint8Array {
  const opset = usesBits(block) ? bitsOpset : commonOpset;
  const lowering = new Lowering({ apply: rules, unknown, onDemand }, opset, block, options);
  const names = leafNames("in", inputs);
  const parameters: ValueSpec[] = block.parameters.map(({ dtype, shape }, i) => ({
    name: names[i]!,
    type: elementType(dtype),
    dims: shape,
  }));
  const graph = lowering.graph(block, name, parameters, leafNames("out", outputs));
  return encodeModel({
    irVersion: opset === commonOpset ? 8 : 13,
    opsets: { "": opset, ...Object.fromEntries([...lowering.domains].map((name) => [name, 1])) },
    graph: { ...graph, initializers: lowering.initializers },
  });
}

/** Names of leaves in the ONNX graph, in order: `in.w.0` is the first leaf of input `w`. */
export function leafNames(side: "in" | "out", bindings: readonly Binding[]): string[] {
  return bindings.flatMap(({ name, leaves }) => leaves.map((_, i) => `${side}.${name}.${i}`));
}

function usesBits(block: Block): boolean {
  for (const operation of walk(block)) {
    if (operation.kind === "apply" && needsBits.has(operation.primitive)) return true;
  }
  return false;
}

function unknown({ primitive, origin, inputs }: Apply): never {
  throw new LoweringError(
    `${origin}: the jax-js primitive "${primitive}" on ${inputs.join(", ")} has no ONNX form; see FEATURES.md for what to use instead.`,
  );
}
