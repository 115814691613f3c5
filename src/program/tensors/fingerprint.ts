/** A short name for bytes: equal bytes have equal names, and different ones as good as never. */

/**
 * FNV-1a, 64 bits, as 16 hexadecimal digits.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/ (the test of `bilevel/fingerprint.ts` uses its published values)
 */
export function fingerprintOfBytes(...chunks: Uint8Array[]): string {
  // The 64-bit state as four 16-bit limbs, lowest first; the prime is 2^40 + 0x1b3.
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  for (const bytes of chunks) {
    for (let i = 0; i < bytes.length; i++) {
      a ^= bytes[i]!;
      const low = a * 0x1b3;
      const second = b * 0x1b3 + (low >>> 16);
      const third = c * 0x1b3 + (a << 8) + (second >>> 16);
      d = (d * 0x1b3 + (b << 8) + (third >>> 16)) & 0xffff;
      c = third & 0xffff;
      b = second & 0xffff;
      a = low & 0xffff;
    }
  }
  return [d, c, b, a].map((limb) => limb.toString(16).padStart(4, "0")).join("");
}
