/**
 * Special functions: ONNX Runtime's own kernels where it has them, and otherwise the rational
 * approximations of fdlibm (Sun Microsystems, 1993), with relative errors up to
 * 3.2e-16 (asin), 1.1e-16 (atan, erf) and 2.3e-16 (erfc, over its whole range) as measured in the tests.
 */
import type { Apply } from "../../ir.ts";
import type { DType } from "../../tensors/tensor.ts";
import type { Lower, OperationContext } from "../context.ts";
import { arithmetic } from "./arithmetic.ts";
import { erf, erfc } from "./erf.ts";

type Formula = (context: OperationContext, x: string, dtype: DType) => string;

export const arcsine: Lower = special("Asin", asin);
export const arctangent: Lower = special("Atan", atan);
export const errorFunction: Lower = special("Erf", erf);
export const complementaryErrorFunction: Lower = special(undefined, erfc);

/** In float32 the runtime's kernel if there is one; float16 passes through float32. Tracing refuses integers. */
function special(kernel: string | undefined, formula: Formula): Lower {
  return (context, operation: Apply) => {
    const { dtype } = operation.outputs[0]!;
    const x = context.name(operation.inputs[0]!);
    const float = dtype === "float64" ? dtype : "float32";
    const wide = dtype === float ? x : context.cast(x, float);
    const native = float === "float32" && kernel !== undefined;
    const result = native ? context.node(kernel, [wide]) : formula(context, wide, float);
    return [dtype === float ? result : context.cast(result, dtype)];
  };
}

/**
 * arcsin(x) = x + x R(x²) up to 1/2; beyond, π/2 - 2 (s + s R(t)) with t = (1 - |x|)/2 and s = √t.
 */
function asin(context: OperationContext, x: string, dtype: DType): string {
  const m = arithmetic(context, dtype);
  const magnitude = m.apply("Abs", x);
  const isSmall = m.less(magnitude, 0.5);
  const t = m.where(isSmall, m.mul(x, x), m.mul(m.sub(m.number(1), magnitude), m.number(0.5)));
  const ratio = m.div(m.mul(t, m.polynomial(t, asinP)), m.polynomial(t, asinQ));
  const s = m.where(isSmall, x, m.apply("Sqrt", t));
  const sum = m.add(s, m.mul(s, ratio));
  const doubled = m.sub(m.mul(m.number(2), sum), m.number(halfPiLow));
  const large = m.sub(m.number(halfPi), doubled);
  const signed = m.where(m.less(x, 0), m.apply("Neg", large), large);
  return m.where(isSmall, sum, signed);
}

/**
 * arctan(x) around the nearest of 0, 1/2, 1, 3/2 and ∞: arctan(c) + arctan((x - c)/(1 + c x)).
 */
function atan(context: OperationContext, x: string, dtype: DType): string {
  const m = arithmetic(context, dtype);
  const magnitude = m.apply("Abs", x);
  const one = m.number(1);
  const choose = (values: readonly string[]): string =>
    atanRanges.reduceRight(
      (rest, { below }, i) => m.where(m.less(magnitude, below), values[i]!, rest),
      values[atanRanges.length]!,
    );
  const about = (c: number): { top: string; bottom: string } => ({
    top: m.sub(magnitude, m.number(c)),
    bottom: m.add(one, m.mul(m.number(c), magnitude)),
  });
  const centers = atanRanges.slice(1).map(({ center }) => about(center));
  const top = choose([magnitude, ...centers.map((c) => c.top), m.number(-1)]);
  const bottom = choose([one, ...centers.map((c) => c.bottom), magnitude]);
  const points = [...atanRanges, { high: halfPi, low: halfPiLow }];
  const high = choose(points.map((point) => m.number(point.high)));
  const low = choose(points.map((point) => m.number(point.low)));

  const u = m.div(top, bottom);
  const square = m.mul(u, u);
  const series = m.mul(square, m.polynomial(square, atanP));
  const angle = m.sub(high, m.sub(m.sub(m.mul(u, series), low), u));
  return m.where(m.less(x, 0), m.apply("Neg", angle), m.where(m.less(magnitude, 1e-8), x, angle));
}

/** π/2 in two parts, and the arctangents of the centers. */
const halfPi = 1.5707963267948966;
const halfPiLow = 6.123233995736766e-17;

const atanRanges = [
  { below: 7 / 16, center: 0, high: 0, low: 0 },
  { below: 11 / 16, center: 0.5, high: 4.63647609000806093515e-1, low: 2.26987774529616870924e-17 },
  { below: 19 / 16, center: 1, high: 7.85398163397448278999e-1, low: 3.06161699786838301793e-17 },
  { below: 39 / 16, center: 1.5, high: 9.82793723247329054082e-1, low: 1.39033110312309984516e-17 },
];

const asinP = [
  1.66666666666666657415e-1, -3.25565818622400915405e-1, 2.01212532134862925881e-1,
  -4.00555345006794114027e-2, 7.91534994289814532176e-4, 3.4793310759602116757e-5,
];
const asinQ = [
  1, -2.40339491173441421878, 2.02094576023350569471, -6.8828397160545329303e-1,
  7.70381505559019352791e-2,
];

/** arctan(u) = u - u³ Σ aᵢ u²ⁱ. */
const atanP = [
  3.33333333333329318027e-1, -1.99999999998764832476e-1, 1.42857142725034663711e-1,
  -1.1111110405462355788e-1, 9.09088713343650656196e-2, -7.69187620504482999495e-2,
  6.66107313738753120669e-2, -5.83357013379057348645e-2, 4.97687799461593236017e-2,
  -3.6531572744216915527e-2, 1.62858201153657823623e-2,
];
