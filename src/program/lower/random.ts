/**
 * Threefry-2x32 with 20 rounds, the counter-based generator of jax-js and JAX (Salmon, Moraes, Dror,
 * Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), in 32-bit integer nodes: the same key
 * gives the same bits on every device.
 */
import { sizeOf, castTensor } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** The parity constant of the key schedule. */
const parity = 0x1bd11bda;

/**
 * Bits [...shape] for keys k0, k1 whose shape is a prefix of `shape`: element i of each key's block
 * enciphers the counter (0, i); `mode` picks a word of the result or both, xored.
 */
export const randomBits: Lower = (context, { inputs: [k0, k1], params }) => {
  const shape = params["shape"] as number[];
  const mode = params["mode"] as "xor" | 0 | 1;
  const keyShape = k0!.shape;
  const block = shape.slice(keyShape.length);
  const count = sizeOf(block);
  if (sizeOf(shape) === 0) return [context.array(castTensor([], { dtype: "uint32", shape }))];

  const aligned = [...keyShape, ...block.map(() => 1)];
  const keys = [k0!, k1!].map((key) => context.reshape(context.name(key), aligned));
  const counter = context.array(
    castTensor(
      Uint32Array.from({ length: count }, (_, i) => i),
      { shape: block },
    ),
  );
  const words = threefry(context, keys as [string, string], counter);
  const result = mode === "xor" ? context.node("BitwiseXor", words) : words[mode]!;
  return [result];
};

function threefry(
  context: OperationContext,
  [k0, k1]: readonly [string, string],
  counter: string,
): [string, string] {
  const word = (value: number): string => context.scalar(value, "uint32");
  const add = (a: string, b: string): string => context.node("Add", [a, b]);
  const xor = (a: string, b: string): string => context.node("BitwiseXor", [a, b]);
  const shift = (x: string, by: number, direction: "LEFT" | "RIGHT"): string =>
    context.node("BitShift", [x, word(by)], { direction: { string: direction } });
  const rotate = (x: string, by: number): string =>
    context.node("BitwiseOr", [shift(x, by, "LEFT"), shift(x, 32 - by, "RIGHT")]);

  const schedule = [k0, k1, xor(xor(k0, k1), word(parity))];
  // The counter's first word is 0.
  let x0 = k0;
  let x1 = add(counter, k1);
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2]!) {
      x0 = add(x0, x1);
      x1 = xor(rotate(x1, by), x0);
    }
    x0 = add(x0, schedule[(group + 1) % 3]!);
    x1 = add(x1, add(schedule[(group + 2) % 3]!, word(group + 1)));
  }
  return [x0, x1];
}
