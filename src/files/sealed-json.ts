/**
 * JSON files that notice damage. The object's last member is a checksum over every byte of the file, its own digits read
 * as zeros; its first member says so, so that no single damage makes a file pass for one without a checksum.
 */
import { crc32 } from "./crc32.ts";
import { whyNotParsed } from "./json-limits.ts";

const promise = "crc32 of every byte of this file, with its eight digits as zeros, at the end";
const head = `{\n"checked": "${promise}",\n`;
const zeros = "00000000";
const encoder = new TextEncoder();

/** A file that is not what was written. */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";
  readonly code = "DATA";
}

/**
 * An object's JSON with its checksum.
 *
 * @param text - JSON of an object with at least one member, however it is laid out.
 */
export function sealJson(text: string): string {
  const members = text.slice(text.indexOf("{") + 1, text.lastIndexOf("}")).trim();
  const open = `${head}${members},\n"checksum": "`;
  const sum = crc32(encoder.encode(`${open}${zeros}"\n}\n`));
  return `${open}${sum}"\n}\n`;
}

/**
 * The value in the bytes of a JSON file, without the members about the checksum.
 *
 * @param source - what the messages call the file.
 * @param remedy - closes them: what to do about a damaged one.
 * @returns `sealed` is false for a file without a checksum, such as an older version wrote.
 * @throws {@link DamagedFileError} when the bytes are not those that were written, or no JSON.
 */
export function openSealedJson(
  bytes: Uint8Array,
  source: string,
  remedy: string,
): { readonly value: unknown; readonly sealed: boolean } {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const sum = /"checksum": "([0-9a-f]{8})"\n\}\n$/.exec(text)?.[1];
  const isWhole = text.startsWith(head) && sum !== undefined && sum === crcWithZeros(bytes);
  if (!isWhole && (text.startsWith(head) || sum !== undefined)) throw damaged(source, remedy);
  const refusal = whyNotParsed(bytes, isWhole);
  if (refusal !== undefined) {
    throw new DamagedFileError(`${source} is damaged: ${refusal}; ${remedy}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DamagedFileError(`${source} is damaged: it is not JSON; ${remedy}`, { cause });
  }
  if (typeof value !== "object" || value === null) return { value, sealed: false };
  const { checked, checksum, ...rest } = value as Record<string, unknown>;
  if (isWhole) return { value: rest, sealed: true };
  // Laid out anew by an editor, and so perhaps changed.
  if (checked === promise || checksum !== undefined) throw damaged(source, remedy);
  return { value, sealed: false };
}

/** What to say of a file that was read without a checksum. */
export function unsealedNote(source: string): string {
  return `${source} has no checksum, an older version wrote it: damage to it would not be noticed.`;
}

function damaged(source: string, remedy: string): DamagedFileError {
  return new DamagedFileError(
    `${source} is damaged or was changed: its contents do not fit its checksum; ${remedy}`,
  );
}

/** The digits stand at a fixed distance from the end. */
function crcWithZeros(bytes: Uint8Array): string {
  const at = bytes.length - `${zeros}"\n}\n`.length;
  return crc32(bytes.subarray(0, at), encoder.encode(zeros), bytes.subarray(at + zeros.length));
}
