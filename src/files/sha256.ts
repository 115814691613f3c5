/** Checksums that name and check files. */
import { createHash } from "node:crypto";
import { openRegularFile } from "./regular-file.ts";

/** Hexadecimal SHA-256 of the parts, one after the other. */
export function sha256(...parts: (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Hexadecimal SHA-256 of a file's bytes, which are never in memory at once. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await openRegularFile(path);
  for await (const chunk of file.createReadStream()) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
