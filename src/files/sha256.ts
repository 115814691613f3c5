/** Checksums that name and check files. */
import { createHash } from "node:crypto";

/** Hexadecimal SHA-256 of the parts, one after the other. */
export function sha256(...parts: (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
