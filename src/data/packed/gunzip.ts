/** Gzip files of bounded size. What comes out is counted before it is kept, so that a bomb costs time only up to the limit. */
import { createGunzip } from "node:zlib";
import { checkLimit, UnpackedError } from "./unpacked.ts";

/**
 * Unpacks gzip data, of one or several members.
 *
 * @param limit - most bytes of the result.
 * @param look - sees each piece while it is counted, and may refuse it.
 * @throws {@link UnpackedError} above the limit; zlib's error for data that are damaged or cut off.
 */
export async function gunzipWithin(
  packed: Uint8Array,
  limit: number,
  look?: (piece: Uint8Array) => void,
): Promise<Uint8Array> {
  checkLimit(limit);
  let length = 0;
  await inflate(packed, (chunk) => {
    length += chunk.length;
    if (length > limit) throw new UnpackedError("it unpacks to", limit);
    look?.(chunk);
  });
  const bytes = new Uint8Array(length);
  let at = 0;
  await inflate(packed, (chunk) => {
    bytes.set(chunk, at);
    at += chunk.length;
  });
  return bytes;
}

/** Calls `take` for each piece, in order; what it throws ends the work. */
async function inflate(packed: Uint8Array, take: (chunk: Uint8Array) => void): Promise<void> {
  const stream = createGunzip({ chunkSize: 1 << 20 });
  stream.end(packed);
  for await (const chunk of stream) take(chunk as Uint8Array);
}
