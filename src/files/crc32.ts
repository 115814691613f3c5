/**
 * CRC-32, the checksum of gzip, zip and PNG: it tells any change of up to 32 bits in a row, and any other one but for one
 * chance in four milliards. Against mistakes of disks and networks, not against an adversary.
 *
 * @see ISO 3309; Kounavis and Berry, "A Systematic Approach to Building High Performance, Software-based, CRC
 *   Generators", 2005 (eight bytes at a time)
 */

const polynomial = 0xedb88320;

/** Entry 256·k + b is the remainder of byte b with k zero bytes behind it. */
const table = makeTable();

/** The checksum of the parts, one after the other, as eight hexadecimal digits. */
export function crc32(...parts: Uint8Array[]): string {
  let crc = -1;
  for (const bytes of parts) {
    let i = 0;
    for (; i + 8 <= bytes.length; i += 8) {
      crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      crc =
        table[1792 + (crc & 255)]! ^
        table[1536 + ((crc >>> 8) & 255)]! ^
        table[1280 + ((crc >>> 16) & 255)]! ^
        table[1024 + (crc >>> 24)]! ^
        table[768 + bytes[i + 4]!]! ^
        table[512 + bytes[i + 5]!]! ^
        table[256 + bytes[i + 6]!]! ^
        table[bytes[i + 7]!]!;
    }
    for (; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}

function makeTable(): Int32Array {
  const entries = new Int32Array(8 * 256);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    entries[b] = crc;
  }
  for (let i = 256; i < entries.length; i++) {
    const before = entries[i - 256]!;
    entries[i] = entries[before & 255]! ^ (before >>> 8);
  }
  return entries;
}
