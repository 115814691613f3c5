/**
 * Reads one file in its own process: `read-a-file.ts <how> <path>`. Prints, as JSON, what was said, the peak of memory in megabytes,
 * and the computing time as a share of the time that unpacking as much as is allowed takes.
 */
import { createGunzip, gzipSync } from "node:zlib";
import { decodeSafetensors, SafetensorsError } from "../../src/program/tensors/safetensors.ts";
import { DataError, readIdx, readImages, readOmniglot, readTable } from "../../src/data/index.ts";
import { readRegularFile } from "../../src/files/regular-file.ts";

const readers: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  table: readTable,
  idx: readIdx,
  image: (path) => readImages([path], { size: 8, channels: 3 }),
  omniglot: (folder) => readOmniglot({ folder, cache: folder }),
  safetensors: async (path) => decodeSafetensors(await readRegularFile(path)),
};

const [how, path] = process.argv.slice(2);
const started = process.cpuUsage();
let said = "";
try {
  await readers[how!]!(path!);
} catch (error) {
  if (!(error instanceof DataError || error instanceof SafetensorsError)) throw error;
  said = error.message;
}
const seconds = secondsSince(started);
const megabytes = process.resourceUsage().maxRSS / 1000;
console.log(JSON.stringify({ said, megabytes, seconds, share: seconds / (await allowed()) }));

/** Seconds that unpacking 256 MB takes on this machine. */
async function allowed(): Promise<number> {
  const piece = gzipSync(Buffer.alloc(16e6));
  const stream = createGunzip({ chunkSize: 1 << 20 });
  const began = process.cpuUsage();
  stream.end(Buffer.concat(Array<Buffer>(16).fill(piece)));
  for await (const chunk of stream) void chunk;
  return secondsSince(began);
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
