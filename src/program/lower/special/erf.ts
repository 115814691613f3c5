/**
 * The error function and its complement, for any floating-point type.
 *
 * Rational approximations of W. J. Cody's kind as published in fdlibm's s_erf.c (Sun Microsystems, 1993):
 * erf around 0 and around 1, and exp(x²) x erfc(x) in 1/x² beyond, below and above 1/0.35. The tail is
 * never found as 1 - erf, so erfc keeps its relative accuracy until it underflows.
 */
import type { DType } from "../../tensors/tensor.ts";
import type { OperationContext } from "../context.ts";
import { type Arithmetic, arithmetic } from "./arithmetic.ts";

/** erf(x), odd, to ±1. */
export function erf(context: OperationContext, x: string, dtype: DType): string {
  const m = arithmetic(context, dtype);
  const { magnitude, small, middle, tail } = pieces(m, x, dtype);
  const near = m.add(x, m.mul(x, small));
  const beyond = m.where(
    m.less(magnitude, middleEnd),
    m.add(m.number(erfAtOne), middle),
    m.sub(m.number(1), tail),
  );
  const signed = m.where(m.less(x, 0), m.apply("Neg", beyond), beyond);
  return m.where(m.less(magnitude, smallEnd), near, signed);
}

/** erfc(x) = 1 - erf(x), from 2 down to 0. */
export function erfc(context: OperationContext, x: string, dtype: DType): string {
  const m = arithmetic(context, dtype);
  const { magnitude, small, middle, tail } = pieces(m, x, dtype);
  const product = m.mul(x, small);
  const half = m.number(0.5);
  const near = m.where(
    m.less(x, 0.25),
    m.sub(m.number(1), m.add(x, product)),
    m.sub(half, m.add(m.sub(x, half), product)),
  );
  const beyond = m.where(m.less(magnitude, middleEnd), m.sub(m.number(1 - erfAtOne), middle), tail);
  const reflected = m.where(m.less(x, 0), m.sub(m.number(2), beyond), beyond);
  return m.where(m.less(magnitude, smallEnd), near, reflected);
}

const smallEnd = 0.84375;
const middleEnd = 1.25;

interface Pieces {
  readonly magnitude: string;
  /** erf(x)/x - 1, for |x| < 0.84375. */
  readonly small: string;
  /** erf(|x|) - erf(1), for |x| < 1.25. */
  readonly middle: string;
  /** erfc(|x|), for |x| ≥ 1.25. */
  readonly tail: string;
}

function pieces(m: Arithmetic, x: string, dtype: DType): Pieces {
  const magnitude = m.apply("Abs", x);
  const rational = (at: string, p: readonly number[], q: readonly number[]): string =>
    m.div(m.polynomial(at, p), m.polynomial(at, q));

  // Every piece is computed for every x and then chosen, so each argument is kept within its piece.
  const inside = m.where(m.less(magnitude, 1), x, m.number(0));
  const small = rational(m.mul(inside, inside), smallP, smallQ);
  const around = m.where(m.less(magnitude, 2), magnitude, m.number(1));
  const middle = rational(m.sub(around, m.number(1)), middleP, middleQ);

  const high = m.where(m.less(magnitude, 28), magnitude, m.number(28));
  const far = m.where(m.less(magnitude, 1), m.number(1), high);
  const s = m.div(m.number(1), m.mul(far, far));
  const ratio = m.where(m.less(far, 1 / 0.35), rational(s, tailP, tailQ), rational(s, farP, farQ));
  // exp(-x²) as exp(-z² - 0.5625) exp(z² - x² + 0.5625), z being x with few enough bits that z² is exact.
  const grid = m.number(dtype === "float64" ? 2 ** 20 : 2 ** 7);
  const z = m.div(m.apply("Floor", m.mul(far, grid)), grid);
  const leading = m.apply("Exp", m.sub(m.number(-0.5625), m.mul(z, z)));
  const rest = m.apply("Exp", m.add(m.mul(m.sub(z, far), m.add(z, far)), ratio));
  const valid = m.div(m.mul(leading, rest), far);
  // NaN is above nothing and below nothing: it must come through unchosen.
  const tail = m.where(m.apply("IsNaN", magnitude), magnitude, valid);
  return { magnitude, small, middle, tail };
}

const erfAtOne = 8.45062911510467529297e-1;

const smallP = [
  1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2,
  -5.77027029648944159157e-3, -2.37630166566501626084e-5,
];
const smallQ = [
  1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3,
  1.32494738004321644526e-4, -3.9602282787753681232e-6,
];
const middleP = [
  -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1,
  3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2,
  -2.166375594868790843e-3,
];
const middleQ = [
  1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2,
  1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.1984499846799107417e-2,
];
const tailP = [
  -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1,
  -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2,
  -8.12874355063065934246e1, -9.81432934416914548592,
];
const tailQ = [
  1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2,
  6.45387271733267880336e2, 4.29008140027567833386e2, 1.08635005541779435134e2,
  6.57024977031928170135, -6.04244152148580987438e-2,
];
const farP = [
  -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1,
  -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3,
  -4.83519191608651397019e2,
];
const farQ = [
  1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3,
  3.19985821950859553908e3, 2.55305040643316442583e3, 4.74528541206955367215e2,
  -2.24409524465858183362e1,
];
