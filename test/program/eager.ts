/**
 * One primitive at a time, twice: by jax-js's own eager rule and by our lowering. The rule table of
 * jax-js reaches every primitive, also those that its public functions never make directly.
 */
import { Array as JaxArray, defaultDevice, init, numpy as np } from "@jax-js/jax";

import { Builder } from "../../src/program/builder.ts";
import { inline } from "../../src/program/inline.ts";
import type { Params } from "../../src/program/ir.ts";
import { encodeProgram, leafNames } from "../../src/program/lower/index.ts";
import { optimize } from "../../src/program/optimize/index.ts";
import { openSession } from "../../src/program/session.ts";
import { type DType, type Tensor, tensor, toTensor } from "../../src/program/tensors/tensor.ts";

/** Readies jax-js's reference backend. Node 20 has no Float16Array, which jax-js tests values against. */
export async function readyEager(): Promise<void> {
  const globals = globalThis as { Float16Array?: unknown };
  globals.Float16Array ??= class {};
  await init("cpu");
  defaultDevice("cpu");
}

/** A host tensor as a strictly typed jax-js array. */
export function toJax(value: Tensor): np.Array {
  const { dtype, shape, data } = value;
  if (data.length === 0) return np.zeros([...shape], { dtype: dtype as np.DType });
  const values = Array.from(data, (item) => (dtype === "bool" ? item !== 0 : item));
  return np.array(values as number[], { shape: [...shape], dtype: dtype as np.DType });
}

/** The primitive by jax-js itself. */
export function eager(primitive: string, params: Params, inputs: readonly Tensor[]): Tensor[] {
  const rules = (
    JaxArray as unknown as {
      _implRules(): Record<string, (inputs: np.Array[], params: Params) => np.Array[]>;
    }
  )._implRules();
  return rules[primitive]!(inputs.map(toJax), params).map(toTensor);
}

export interface Aval {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The primitive by our lowering, on ONNX Runtime. */
export async function lowered(
  primitive: string,
  params: Params,
  inputs: readonly Tensor[],
  outputs: readonly Aval[],
  options: { readonly optimize?: boolean; readonly threads?: number } = {},
): Promise<Tensor[]> {
  const atom = ({ shape, dtype }: Aval): object => ({ aval: { shape, dtype, weakType: false } });
  const inBinders = inputs.map(atom);
  const outBinders = outputs.map(atom);
  const equation = { primitive, params, inputs: inBinders, outBinders };
  const jaxpr = { inBinders, eqns: [equation], outs: outBinders };
  const builder = new Builder();
  const args = inputs.map(({ shape, dtype }) => builder.parameter(shape, dtype));
  const results = inline(
    builder,
    { jaxpr, constants: [], outputTypes: outputs.map(({ dtype }) => dtype) } as never,
    args,
  );
  const plain = builder.finish(results);
  const block = options.optimize === false ? plain : optimize(plain, builder.values);
  const binding = (name: string, leaves: typeof args): never => ({ name, leaves }) as never;
  const [x, y] = [[binding("x", args)], [binding("y", results)]];
  const bytes = encodeProgram(primitive, block, x, y);
  const session = await openSession(bytes, {
    threads: options.threads ?? 1,
    graphOptimization: "disabled",
  });
  try {
    const names = leafNames("in", x);
    const feeds = new Map(inputs.map((input, i) => [names[i]!, input]));
    const found = await session.run(feeds, leafNames("out", y));
    return await Promise.all(found.map((resident) => resident.read()));
  } finally {
    await session.dispose();
  }
}

/** The largest difference |a − b| / max(1, |b|); ∞ where one is NaN or infinite and the other is not. */
export function distance(a: Tensor, b: Tensor): number {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i]!, b.data[i]!];
    if (Object.is(x, y) || x === y) continue;
    const difference = Math.abs(x - y) / Math.max(1, Math.abs(y));
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
}

/** Repeatable values in (−1, 1), no two alike: the fractional parts of a quadratic sequence. */
export function spread(count: number, seed = 1): number[] {
  return Array.from({ length: count }, (_, i) => {
    const x = (i + 1) * (i + 3) * 0.754877666 * seed + 0.3 * seed;
    return 2 * (x - Math.floor(x)) - 1;
  });
}

/** A host tensor of {@link spread} values, scaled; whole numbers for integer types. */
export function sample(shape: readonly number[], dtype: DType, seed = 1, scale = 2): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = spread(size, seed).map((value) => value * scale);
  const exact: Record<DType, (value: number) => number> = {
    float16: (value) => value,
    float32: (value) => value,
    float64: (value) => value,
    int32: (value) => Math.round(value * 3),
    uint32: (value) => Math.round(Math.abs(value) * 3),
    bool: (value) => Number(value > 0),
  };
  return tensor(values.map(exact[dtype]), { dtype, shape });
}
