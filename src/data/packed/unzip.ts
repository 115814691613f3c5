/**
 * Members of zip archives of bounded size. What they unpack to is summed from the archive's list before anything is unpacked, and
 * no member gives more than it says.
 *
 * @see APPNOTE.TXT 6.3.10, PKWARE, sections 4.3.7, 4.3.12 and 4.3.16
 */
import { crc32, inflateRawSync } from "node:zlib";
import { checkLimit, UnpackedError } from "./unpacked.ts";

/**
 * Unpacks the members whose names fit, and checks their sums.
 *
 * @param limit - most bytes of all of them.
 * @returns names and contents, in the order of the list.
 * @throws {@link UnpackedError} above the limit; Error when the archive is damaged, encrypted, or larger than 4 GiB.
 */
export function unzipWithin(
  zip: Uint8Array,
  wanted: RegExp,
  limit: number,
): (readonly [name: string, bytes: Uint8Array])[] {
  checkLimit(limit);
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const members = listMembers(zip, view).filter(({ name }) => wanted.test(name));
  const sum = (of: (member: Member) => number): number =>
    members.reduce((total, member) => total + of(member), 0);
  if (sum(({ unpacked }) => unpacked) > limit) {
    throw new UnpackedError("its members unpack to", limit);
  }
  if (sum(({ packed }) => packed) > zip.length) throw new Error("its members overlap");
  return members.map((member) => [member.name, unpack(zip, view, member)] as const);
}

/** What the list says of a member; `at` is where its own header begins. */
interface Member {
  readonly name: string;
  readonly method: number;
  readonly sum: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly at: number;
}

function listMembers(zip: Uint8Array, view: DataView): Member[] {
  const end = endOfList(view);
  const count = view.getUint16(end + 10, true);
  const members: Member[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== 0x02014b50)
      throw new Error(`its list ends after ${i} members`);
    const length = view.getUint16(at + 28, true);
    members.push({
      name: new TextDecoder().decode(zip.subarray(at + 46, at + 46 + length)),
      method: view.getUint16(at + 10, true),
      sum: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      unpacked: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    });
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return members;
}

/** Where the last record lies, behind which only a comment of up to 65,535 bytes may stand. */
function endOfList(view: DataView): number {
  const last = view.byteLength - 22;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at;
  }
  throw new Error("it has no list of members at its end");
}

function unpack(zip: Uint8Array, view: DataView, member: Member): Uint8Array {
  const { name, method, sum, packed, unpacked, at } = member;
  if (view.getUint32(at, true) !== 0x04034b50)
    throw new Error(`${name} is not where its list says`);
  const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  const data = zip.subarray(start, start + packed);
  if (method !== 0 && method !== 8) throw new Error(`${name} is packed by method ${method}`);
  const bytes =
    method === 0 ? data : inflateRawSync(data, { maxOutputLength: Math.max(1, unpacked) });
  if (bytes.length !== unpacked || crc32(bytes) !== sum) throw new Error(`${name} has another sum`);
  return bytes;
}
