/**
 * Complex Fourier transforms along the last axis, of real and imaginary parts kept apart.
 *
 * ONNX Runtime's DFT is exact to rounding for powers of two alone (for other lengths it loses up to four
 * digits, and its inverse is scaled in float32), so other lengths are rewritten by Bluestein's algorithm:
 * with the chirp w_j = exp(-iπ j²/n), X_k = w_k Σ_j (x_j w_j) conj(w_{k-j}), a circular convolution of a
 * power-of-two length m ≥ 2n - 1.
 */
import { type DType, type Shape, castTensor } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";

/** Names of the real and the imaginary part. */
type Complex = readonly [re: string, im: string];

/** The inverse divides by the length, as in jax-js. */
export const fft: Lower = (context, { inputs, params, outputs }) => {
  const { dtype, shape } = outputs[0]!;
  if (shape.includes(0)) return inputs.map((input) => context.name(input));
  const n = shape[shape.length - 1]!;
  const inverse = params["inverse"] as boolean;
  const half = dtype === "float16";
  const [re, im] = inputs.map((input) => {
    const name = context.name(input);
    return half ? context.cast(name, "float32") : name;
  });
  const transform = Number.isInteger(Math.log2(n)) ? powerOfTwo : bluestein;
  const result = transform(context, [re!, im!], shape, half ? "float32" : dtype, inverse);
  return result.map((name) => (half ? context.cast(name, dtype) : name));
};

type Transform = (
  context: OperationContext,
  x: Complex,
  shape: Shape,
  dtype: DType,
  inverse: boolean,
) => Complex;

const powerOfTwo: Transform = (context, x, shape, _dtype, inverse) => {
  // DFT wants a batch axis in front and the two parts last.
  const unit = [...(shape.length === 1 ? [1] : []), ...shape, 1];
  const last = unit.length - 1;
  const parts = x.map((name) => context.reshape(name, unit));
  const complex = context.node("Concat", parts, { axis: { int: last } });
  const axis = context.data("int64", [], BigInt64Array.of(BigInt(last - 1)));
  const transformed = context.node("DFT", [complex, "", axis], {
    inverse: { int: inverse ? 1 : 0 },
  });
  const split = context.nodes("Split", [transformed, context.ints([1, 1])], 2, {
    axis: { int: last },
  });
  return [context.reshape(split[0]!, shape), context.reshape(split[1]!, shape)];
};

const bluestein: Transform = (context, x, shape, dtype, inverse) => {
  const axis = shape.length - 1;
  const n = shape[axis]!;
  const m = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const wide = [...shape.slice(0, -1), m];
  const array = (values: number[]): string => context.array(castTensor(values, { dtype }));

  // j² mod 2n keeps the angle small, hence exact.
  const angles = Array.from({ length: n }, (_, j) => ((j * j) % (2 * n)) * (Math.PI / n));
  const [cos, sin] = [angles.map(Math.cos), angles.map(Math.sin)];
  const sign = inverse ? 1 : -1;
  const chirp: Complex = [array(cos), array(sin.map((value) => sign * value))];
  const around = (values: number[]): number[] =>
    Array.from({ length: m }, (_, j) => (j < n ? values[j]! : (values[m - j] ?? 0)));
  const kernel = around(sin.map((value) => -sign * value));
  const filter: Complex = [array(around(cos)), array(kernel)];

  const pads = context.ints([...shape.map(() => 0), ...shape.slice(0, -1).map(() => 0), m - n]);
  const padded = multiply(context, x, chirp).map((name) => context.node("Pad", [name, pads]));
  const spectrum = powerOfTwo(context, [padded[0]!, padded[1]!], wide, dtype, false);
  const response = powerOfTwo(context, filter, [m], dtype, false);
  const product = multiply(context, spectrum, response);
  const convolved = powerOfTwo(context, product, wide, dtype, true);
  const kept = convolved.map((name) => context.slice(name, [0], [n], [axis]));
  const result = multiply(context, [kept[0]!, kept[1]!], chirp);
  if (!inverse) return result;
  const length = context.scalar(n, dtype);
  return [context.node("Div", [result[0], length]), context.node("Div", [result[1], length])];
};

function multiply(context: OperationContext, [a, b]: Complex, [c, d]: Complex): Complex {
  const mul = (x: string, y: string): string => context.node("Mul", [x, y]);
  return [context.node("Sub", [mul(a, c), mul(b, d)]), context.node("Add", [mul(a, d), mul(b, c)])];
}
