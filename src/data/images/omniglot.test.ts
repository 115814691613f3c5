import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sha256 } from "../../files/sha256.ts";
import type { LoadProgress } from "./decode-classes.ts";
import { type Archive, archives, readArchives, readOmniglotCharacters } from "./omniglot.ts";
import { DataError } from "../data-error.ts";

/** A zip of `characters` with 20 drawings each; every pixel of drawing d of the character with number id is 10·id + d. */
function archiveOf(name: string, first: number, characters: number): Uint8Array {
  const files: Record<string, Uint8Array> = { "__MACOSX/images/._x": Uint8Array.of(1) };
  // Members in reverse, and alphabets against the order of the numbers, as official archives have them in any order.
  for (let id = first + characters - 1; id >= first; id--) {
    for (let d = 20; d >= 1; d--) {
      const two = String(d).padStart(2, "0");
      const path = `${name}/Z${9 - id}/character01/${String(id).padStart(4, "0")}_${two}.png`;
      const data = new Uint8Array(9).fill(10 * id + d);
      files[path] = encodePng({ width: 3, height: 3, data, channels: 1 });
    }
  }
  return zipSync(files);
}

const zips: Record<string, Uint8Array> = {
  images_background: archiveOf("images_background", 1, 2),
  images_evaluation: archiveOf("images_evaluation", 3, 1),
};

let folder: string;
let cache: string;
let server: Server;
let requests: string[];
let sources: Archive[];

beforeEach(async () => {
  vi.stubEnv("STACKELBERG_DATA", undefined);
  const root = await mkdtemp(join(tmpdir(), "omniglot-"));
  [folder, cache] = [join(root, "omniglot"), join(root, "cache")];
  await mkdir(folder);
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url!);
    response.end(zips[request.url!.slice(1)]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  sources = Object.entries(zips).map(([name, zip], i) => ({
    name,
    url: `http://127.0.0.1:${port}/${name}`,
    sha256: sha256(zip),
    characters: 2 - i,
  }));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(join(folder, ".."), { recursive: true });
});

test("downloaded, decoded, and both only once", async () => {
  const stages: string[] = [];
  const onProgress = ({ stage, done }: LoadProgress): unknown => stages.push(`${stage} ${done}`);
  const set = await readArchives(sources, { cache, size: 2, onProgress });
  expect(set).toMatchObject({
    height: 2,
    width: 2,
    channels: 1,
    classes: ["Z8/character01", "Z7/character01", "Z6/character01"],
    offsets: [0, 20, 40, 60],
    invert: true,
  });
  const values = [1, 2, 3].flatMap((id) => Array.from({ length: 20 }, (_, d) => 10 * id + d + 1));
  expect([...set.pixels]).toEqual(values.flatMap((v) => [v, v, v, v]));
  expect(requests).toEqual(["/images_background", "/images_evaluation"]);
  expect(stages).toContain("decode 60");

  stages.length = 0;
  expect(await readArchives(sources, { cache, size: 2, onProgress })).toEqual(set);
  expect([requests.length, stages]).toEqual([2, []]);
  await readArchives(sources, { cache, size: 2, resampling: "nearest", onProgress });
  expect([requests.length, stages.length]).toEqual([2, 3]);
});

test("damaged files in the cache are made again", async () => {
  const set = await readArchives(sources, { cache });
  const names = await readdir(cache);
  expect(names.toSorted()).toEqual([
    expect.stringMatching(/^omniglot-28-lanczos-[0-9a-f]{16}\.images$/),
    "omniglot-images_background.zip",
    "omniglot-images_evaluation.zip",
  ]);
  for (const name of names) {
    const bytes = await readFile(join(cache, name));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(cache, name), bytes);
  }
  expect(await readArchives(sources, { cache })).toEqual(set);
  expect(requests.length).toBe(4);
});

test("from a folder, or from the folder of STACKELBERG_DATA, without any request", async () => {
  await writeFile(join(folder, "images_background.zip"), zips["images_background"]!);
  await writeFile(join(folder, "images_evaluation.rebuilt.zip"), zips["images_evaluation"]!);
  const given = await readArchives(sources, { cache, folder, size: 1 });
  expect(given.pixels[59]).toBe(50);
  vi.stubEnv("STACKELBERG_DATA", join(folder, ".."));
  expect(await readArchives(sources, { cache, size: 1 })).toEqual(given);
  expect(requests).toEqual([]);
});

test("a wrong folder, wrong archives and no network", async () => {
  await expect(readArchives(sources, { cache, folder })).rejects.toThrow(
    /omniglot: needs Omniglot's images_background\.zip, it is not there/,
  );
  await writeFile(join(folder, "images_background.zip"), zips["images_evaluation"]!);
  await writeFile(join(folder, "images_evaluation.zip"), zips["images_evaluation"]!);
  const swapped = readArchives(sources, { cache, folder });
  await expect(swapped).rejects.toThrow(DataError);
  await expect(swapped).rejects.toThrow("needs 2 characters with 20 drawings each");
  await writeFile(
    join(folder, "images_background.zip"),
    zips["images_background"]!.subarray(0, -99),
  );
  await expect(readArchives(sources, { cache, folder })).rejects.toThrow("archive is damaged");
  const unreachable = sources.map((source) => ({ ...source, url: "http://127.0.0.1:1/x" }));
  await expect(readArchives(unreachable, { cache })).rejects.toThrow(
    /cannot be fetched .* get images_background\.zip elsewhere, .* in STACKELBERG_DATA/,
  );
});

const data = process.env["STACKELBERG_DATA"];
const reason = data === undefined ? " (needs STACKELBERG_DATA, a folder with omniglot/)" : "";

describe.skipIf(data === undefined)(`Omniglot${reason}`, () => {
  const stored = async (name: string): Promise<Uint8Array> =>
    gunzipSync(await readFile(join(data!, "omniglot", name))).subarray(128);

  test("nearest drawings are Pillow's, bit for bit", async () => {
    const options = { folder: join(data!, "omniglot"), cache, resampling: "nearest" } as const;
    const set = await readOmniglotCharacters(options);
    expect(set.classes.length).toBe(1623);
    expect(set.classes[0]).toBe("Arcadian/character01");
    const packed = new Uint8Array(set.pixels.length / 8);
    for (let i = 0; i < set.pixels.length; i++) {
      if (set.pixels[i] === 0) packed[i >> 3]! |= 0x80 >> (i & 7);
    }
    const expected = await stored("omniglot28_nearest_bits.npy.gz");
    expect(packed.length).toBe(expected.length);
    expect(Buffer.compare(packed, expected)).toBe(0);
  });

  // The evaluation characters only, which is 13,180 of 32,460 drawings: this one takes its time.
  test("antialiased drawings are Pillow's, byte for byte", async () => {
    const set = await readArchives(archives.slice(1), { folder: join(data!, "omniglot"), cache });
    expect(set.classes.length).toBe(659);
    const expected = (await stored("omniglot28_lanczos_u8.npy.gz")).subarray(964 * 20 * 784);
    expect(set.pixels.length).toBe(expected.length);
    expect(Buffer.compare(set.pixels, expected)).toBe(0);
  });
});
