/**
 * Bytes to UTF-8 text without a byte order mark, from UTF-8, UTF-16 with and without a mark, and Windows-1252 where
 * the bytes leave no doubt; from any other encoding when it is named.
 */
import { isUtf8 } from "node:buffer";
import { checkFormat, checkText, invalidUtf8At, lineAt } from "../../packed/read-bytes.ts";
import { DataError } from "../../data-error.ts";
import { quote } from "../../words.ts";

/** Text as UTF-8, and what was decided about it. */
export interface DecodedText {
  readonly text: Uint8Array;
  readonly notes: readonly string[];
}

/**
 * @param encoding - a label of the WHATWG Encoding Standard, such as "windows-1252"; default: found out.
 * @throws {@link DataError} for binary formats, an unknown encoding, bytes that it does not allow, and bytes whose
 *   encoding is not clear.
 */
export function decodeText(bytes: Uint8Array, source: string, encoding?: string): DecodedText {
  if (encoding !== undefined) return decodeAs(bytes, source, encoding, "given");
  const marked =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? "utf-16be"
        : undefined;
  if (marked !== undefined) return decodeAs(bytes, source, marked, "as its byte order mark says");
  checkFormat(bytes, source);
  const wide = unmarkedUtf16(bytes);
  if (wide !== undefined)
    return decodeAs(bytes, source, wide, "detected, there is no byte order mark");
  if (!isUtf8(bytes) && !bytes.includes(0) && isWestern(bytes)) {
    return decodeAs(bytes, source, "windows-1252", "detected, its bytes are not UTF-8");
  }
  return { text: checkText(bytes, source), notes: [] };
}

function decodeAs(bytes: Uint8Array, source: string, encoding: string, how: string): DecodedText {
  const decoder = decoderOf(encoding, source);
  let text: string;
  try {
    text = decoder.encoding === "windows-1252" ? fromWindows1252(bytes) : decoder.decode(bytes);
  } catch {
    const isUtf = decoder.encoding === "utf-8";
    const at = isUtf ? invalidUtf8At(bytes) : undefined;
    const where = at === undefined ? source : `${source}, line ${lineAt(bytes, at)}`;
    throw new DataError(
      `${where}: the bytes are not ${decoder.encoding}; name the file's own encoding (--encoding), such as windows-1252.`,
    );
  }
  const note = `The encoding is ${decoder.encoding} (${how}).`;
  return { text: checkText(new TextEncoder().encode(text), source), notes: [note] };
}

function decoderOf(encoding: string, source: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new DataError(
      `${source}: ${quote(encoding)} is no encoding that is known here; use utf-8, utf-16le, windows-1252 or another name of the WHATWG Encoding Standard (--encoding).`,
    );
  }
}

/** Bytes 0x80 to 0x9f of Windows-1252; the five it leaves open are control characters, as the Encoding Standard says. */
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/** Node 20's own decoder takes Windows-1252 for Latin-1, which loses the euro sign. */
function fromWindows1252(bytes: Uint8Array): string {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return latin.replaceAll(/[\u0080-\u009f]/g, (c) => windows1252[c.charCodeAt(0) - 0x80]!);
}

/** Bytes looked at for UTF-16. */
const wideSample = 4096;

/** UTF-16 shows in text of tables: delimiters, digits and line ends have one zero byte each, always on one side. */
function unmarkedUtf16(bytes: Uint8Array): string | undefined {
  if (bytes.length < 4 || bytes.length % 2 !== 0) return undefined;
  const zeros = [0, 0];
  const length = Math.min(bytes.length, wideSample);
  for (let at = 0; at < length; at++) if (bytes[at] === 0) zeros[at % 2]!++;
  const most = length / 2;
  if (zeros[0] === 0 && zeros[1]! > most / 2) return "utf-16le";
  if (zeros[1] === 0 && zeros[0]! > most / 2) return "utf-16be";
  return undefined;
}

/** Letters and signs of Western European text in Windows-1252 that tables hold. */
const westernSigns = new Set(
  Buffer.from(
    "ÄÖÜäöüßÀÁÂÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛÝàáâãåæçèéêëìíîïñòóôõøùúûýÿ°²³µ§«»·½¼¡¿£©®ºª\u00a0",
    "latin1",
  ),
);
/** €, –, —, ‘, ’, “, ”, …, Œ, œ, Š, š, Ž, ž, • and ™ lie elsewhere than in Latin-1. */
for (const byte of [0x80, 0x96, 0x97, 0x91, 0x92, 0x93, 0x94, 0x85, 0x8c, 0x9c, 0x8a, 0x9a]) {
  westernSigns.add(byte);
}
for (const byte of [0x8e, 0x9e, 0x95, 0x99]) westernSigns.add(byte);

/**
 * Whether bytes above 0x7f are plain Western text: each is a letter or sign of it, at most two stand together, and
 * no two are a UTF-8 sequence, which would be damaged UTF-8. Cyrillic, Greek or Asian text has long runs of them.
 */
function isWestern(bytes: Uint8Array): boolean {
  let run = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      run = 0;
      continue;
    }
    if (++run > 2 || !westernSigns.has(byte)) return false;
    if (run === 2 && isUtf8(bytes.subarray(at - 1, at + 1))) return false;
  }
  return true;
}
