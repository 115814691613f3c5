/** Files replaced whole, locked, hashed, sealed, checked: for Node. What runs in browsers too is in portable.ts. */
export { anyNumber, checkSchema, count, finite, positive, positiveCount } from "./check-schema.ts";
export { crc32 } from "./crc32.ts";
export { download, DownloadError, type RemoteFile } from "./download.ts";
export { FolderInUseError, type FolderLock, isLockName, lockFolder } from "./folder-lock.ts";
export { removeLeftovers } from "./leftovers.ts";
export { irregularKind, NotAFileError, readRegularFile } from "./regular-file.ts";
export { type NewFile, replaceFile, replaceFiles, temporaryOwner } from "./replace-file.ts";
export { DamagedFileError, openSealedJson, sealJson, unsealedNote } from "./sealed-json.ts";
export {
  dropPrevious,
  NotARunError,
  ownNames,
  previousName,
  putBack,
  type RunFiles,
  setAside,
} from "./set-aside.ts";
export { sha256 } from "./sha256.ts";
