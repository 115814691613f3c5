/**
 * Quantiles of the normal and of Student's distribution. Only +, −, ×, ÷ and square roots decide the
 * normal one, so random numbers drawn with it are the same bits on every platform.
 */

/**
 * z with P(Z ≤ z) = p for a standard normal Z, to about 1e-16 relative.
 *
 * Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
 * Statistics 37 (1988), routine PPND16.
 *
 * @param p - in [0, 1]; 0 and 1 give ∓∞, anything outside NaN.
 */
export function normalQuantile(p: number): number {
  if (!(typeof p === "number" && p >= 0 && p <= 1)) return NaN;
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(centreTop, r)) / polynomial(centreBottom, r);
  }
  const r = Math.sqrt(-logarithm(q < 0 ? p : 1 - p));
  const z =
    r <= 5
      ? polynomial(middleTop, r - 1.6) / polynomial(middleBottom, r - 1.6)
      : polynomial(tailTop, r - 5) / polynomial(tailBottom, r - 5);
  return q < 0 ? -z : z;
}

/**
 * t with P(|T| ≤ t) = probability for Student's T, by bisection on the closed form of the distribution.
 *
 * With θ = arctan(t/√ν), A(t|ν) = sin θ (1 + ½ cos²θ + (1·3)/(2·4) cos⁴θ + … + cosᵛ⁻²θ term) for even ν,
 * (2/π)(θ + sin θ (cos θ + ⅔ cos³θ + … + cosᵛ⁻²θ term)) for odd ν.
 * Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
 *
 * @param degrees - ν, a positive whole number.
 * @param probability - two-sided, in (0, 1); default 0.95.
 */
export function studentQuantile(degrees: number, probability: number = 0.95): number {
  if (!Number.isInteger(degrees) || degrees < 1 || !(probability > 0 && probability < 1)) {
    throw new RangeError(
      `studentQuantile: needs whole degrees of freedom from 1 and a probability inside (0, 1), got ${degrees} and ${probability}.`,
    );
  }
  let low = 0;
  let high = Math.PI / 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentTwoSided(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return Math.tan((low + high) / 2) * Math.sqrt(degrees);
}

function studentTwoSided(theta: number, degrees: number): number {
  const sine = Math.sin(theta);
  const cosine = Math.cos(theta);
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}

/** Coefficients from the constant up. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + coefficients[i]!;
  return value;
}

/** ln x for normal x > 0: x = m·2ᵉ with m in [√½, √2), ln m = 2 artanh((m−1)/(m+1)). */
function logarithm(x: number): number {
  let mantissa = x;
  let exponent = 0;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  let sum = 0;
  for (let k = 25; k >= 1; k -= 2) sum = sum * s * s + 1 / k;
  return exponent * Math.LN2 + 2 * s * sum;
}

const centreTop = [
  3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
  4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4,
  2.5090809287301226727e3,
];
const centreBottom = [
  1, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3,
  2.1213794301586595867e4, 3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852854561e3,
];
const middleTop = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
  1.27045825245236838258, 2.4178072517745061177e-1, 2.27238449892691845833e-2,
  7.7454501427834140764e-4,
];
const middleBottom = [
  1, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1,
  1.4810397642748007459e-1, 1.51986665636164571966e-2, 5.475938084995344946e-4,
  1.05075007164441684324e-9,
];
const tailTop = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
  2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5,
  2.01033439929228813265e-7,
];
const tailBottom = [
  1, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2,
  7.868691311456132591e-4, 1.8463183175100546818e-5, 1.4215117583164458887e-7,
  2.04426310338993978564e-15,
];
