/** Half precision (IEEE 754 binary16), which JavaScript has no array of in the Node we support. */

const bits = new DataView(new ArrayBuffer(4));

/** The 16 bits of the half-precision number nearest to `value`, ties to even. */
export function halfBits(value: number): number {
  bits.setFloat32(0, value);
  const single = bits.getUint32(0);
  const sign = (single >>> 16) & 0x8000;
  const exponent = (single >>> 23) & 0xff;
  const fraction = single & 0x7fffff;
  if (exponent === 255) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  const scale = exponent - 112;
  if (scale >= 31) return sign | 0x7c00;
  if (scale < -10) return sign;
  // Below the smallest normal number the leading one becomes explicit and moves right.
  const shift = scale > 0 ? 13 : 14 - scale;
  const full = scale > 0 ? (scale << 23) | fraction : 0x800000 | fraction;
  const kept = full >>> shift;
  const rest = full & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  // A carry out of the fraction goes into the exponent, as it should.
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** The number that 16 bits of half precision stand for. */
export function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
