/** What runs in browsers too: nothing of Node is loaded before it is needed. */
export { crc32 } from "./crc32.ts";
export { replaceFile, type FileSystem, type OpenFile } from "./replace-file.ts";
