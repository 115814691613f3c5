/** Limits on JSON from files: a parser takes seventy bytes for each bracket that is not closed yet, and as much for each empty object. */

/** Levels of objects and arrays; ours have fewer than ten. */
const deepest = 100;

/** Bytes of a file that nothing shows to be ours. */
const largest = 16_000_000;

/**
 * Says why a JSON text is not to be parsed, as half a sentence, or nothing.
 *
 * @param isOurs - whether a checksum shows that we have written it, so that it may be of any length.
 */
export function whyNotParsed(bytes: Uint8Array, isOurs: boolean): string | undefined {
  if (!isOurs && bytes.length > largest) {
    return `it has ${bytes.length} bytes, at most ${largest} are read without a checksum`;
  }
  return isTooDeep(bytes) ? `it nests more than ${deepest} levels deep` : undefined;
}

function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === backslash) i++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > deepest) return true;
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return false;
}

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
