/** How much a packed file may become: a small one can hold gigabytes, by accident or to do harm. */

/** Most bytes of a gzip file's or an archive's contents, unless another limit is given. */
export const defaultMaxUnpacked = 256_000_000;

/** Most bytes of an image as red, green and blue, unless another limit is given: 40 megapixels. */
export const defaultMaxImage = 120_000_000;

/** More than the limit would come out. The message is half a sentence with the remedy. */
export class UnpackedError extends Error {
  override readonly name = "UnpackedError";

  /** @param what - subject and verb, such as `it unpacks to`. */
  constructor(what: string, limit: number) {
    super(
      `${what} more than ${describeBytes(limit)}; raise maxUnpacked (--max-unpacked) if you trust the file`,
    );
  }
}

/** @throws RangeError when a limit is no number of bytes. */
export function checkLimit(limit: number): void {
  if (limit > 0) return;
  throw new RangeError(
    `maxUnpacked: a number of bytes above 0, not ${limit}; leave it out for the default.`,
  );
}

/** As `256 MB`, in powers of ten as `--max-unpacked` takes them. */
export function describeBytes(bytes: number): string {
  const [size, unit] =
    bytes < 1e4 ? [bytes, "bytes"] : bytes < 1e7 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${Math.round(size)} ${unit}`;
}
