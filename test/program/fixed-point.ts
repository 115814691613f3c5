/**
 * Elementary and special functions in fixed-point BigInt arithmetic, from their series, as references
 * for approximations in floating point. A number x is the integer x·2^bits.
 */

/** Enough for erfc(27), which loses 1,130 bits to cancellation and another 1,050 to its size. */
export const bits = 2600n;
const one: bigint = 1n << bits;

/** The exact value of a double. */
export function fixed(x: number): bigint {
  // Any double of ordinary size is an integer multiple of 2^-1074.
  let exponent = 0;
  let scaled = x;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent++;
  }
  return (BigInt(scaled) << bits) >> BigInt(exponent);
}

/** (x - exact) / exact, for a double x. */
export function relativeError(x: number, exact: bigint): number {
  if (exact === 0n) return x === 0 ? 0 : Infinity;
  const difference = fixed(x) - exact;
  return Number((difference << 80n) / exact) / 2 ** 80;
}

/** x·y, rounded toward zero: a shift alone would leave -1 of every small negative product. */
function multiply(x: bigint, y: bigint): bigint {
  const product = x * y;
  return product < 0n ? -(-product >> bits) : product >> bits;
}

/** √x by Newton's iteration. */
export function sqrt(x: bigint): bigint {
  if (x === 0n) return 0n;
  const square = x << bits;
  let root = 1n << BigInt((square.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** arctan(x): the angle halved three times, then the power series. */
export function atan(x: bigint): bigint {
  let t = x;
  for (let halving = 0; halving < 3; halving++) {
    t = (t << bits) / (one + sqrt(one + multiply(t, t)));
  }
  const square = multiply(t, t);
  let sum = 0n;
  let power = t;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += n % 4n === 1n ? power / n : -power / n;
    power = multiply(power, square);
  }
  return sum * 8n;
}

/** arcsin(x) = arctan(x / √(1 - x²)), for |x| < 1. */
export function asin(x: bigint): bigint {
  return atan((x << bits) / sqrt(one - multiply(x, x)));
}

/** erf(x) = 2/√π Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)). */
export function erf(x: bigint): bigint {
  const square = multiply(x, x);
  let sum = 0n;
  let term = x;
  for (let n = 0n; term !== 0n; n++) {
    sum += term / (2n * n + 1n);
    term = -multiply(term, square) / (n + 1n);
  }
  return ((2n * sum) << bits) / sqrtPi;
}

export function erfc(x: bigint): bigint {
  return one - erf(x);
}

/** π = 16 arctan(1/5) - 4 arctan(1/239). */
const sqrtPi: bigint = sqrt(16n * atan(one / 5n) - 4n * atan(one / 239n));
