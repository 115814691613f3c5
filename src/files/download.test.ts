import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256 } from "./sha256.ts";
import { download, DownloadError } from "./download.ts";

const content = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) % 251);

let folder: string;
let server: Server;
let url: string;
/** The ranges asked for, one a request. */
let asked: (string | undefined)[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "download-"));
  asked = [];
  answer = withRanges;
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.zip`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

function withRanges(request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (start >= content.length) {
    response.writeHead(416).end();
    return;
  }
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(start > 0 ? 206 : 200, {
    "content-length": content.length - start,
    ...(start > 0 && { "content-range": range }),
  });
  response.end(content.subarray(start));
}

/** Sends `bytes` of the file, then breaks the connection. */
function cutAfter(bytes: number): typeof answer {
  return (_, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, bytes), () => response.destroy());
  };
}

const remedy = "fetch it yourself";

function get(sum = sha256(content), more = {}): Promise<Uint8Array> {
  return download({ url, sha256: sum }, folder, "file.zip", { remedy, ...more });
}

test("fetched once, then taken from the folder", async () => {
  const seen: [number, number | undefined][] = [];
  const onProgress = (p: { done: number; total: number | undefined }): unknown =>
    seen.push([p.done, p.total]);
  const first = await get(undefined, { onProgress });
  expect(sha256(first)).toBe(sha256(content));
  expect(seen.at(-1)).toEqual([content.length, content.length]);
  expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).toSorted((a, b) => a - b));
  expect(await readdir(folder)).toEqual(["file.zip"]);
  expect(sha256(await get())).toBe(sha256(content));
  expect(asked).toEqual([undefined]);
});

test("a download that was cut off continues where it stopped", async () => {
  answer = cutAfter(70_000);
  await expect(get()).rejects.toThrow(/cannot be fetched \(.+\); try again to continue, or fetch/);
  const have = (await readFile(join(folder, "file.zip.part"))).length;
  expect(have).toBeGreaterThan(0);
  answer = withRanges;
  const seen: number[] = [];
  const bytes = await get(undefined, { onProgress: (p: { done: number }) => seen.push(p.done) });
  expect(sha256(bytes)).toBe(sha256(content));
  expect(asked).toEqual([undefined, `bytes=${have}-`]);
  expect(seen[0]).toBeGreaterThan(have);
  expect(await readdir(folder)).toEqual(["file.zip"]);
});

test("a server that knows no ranges sends all again", async () => {
  await writeFile(join(folder, "file.zip.part"), content.subarray(0, 1000));
  answer = (_, response) => response.end(content);
  expect(sha256(await get())).toBe(sha256(content));
});

test("a part that was whole already", async () => {
  await writeFile(join(folder, "file.zip.part"), content);
  expect(sha256(await get())).toBe(sha256(content));
  expect(asked).toEqual([`bytes=${content.length}-`]);
});

test("another sum is refused, and the next call begins again", async () => {
  const wrong = get("00ff");
  await expect(wrong).rejects.toThrow(DownloadError);
  await expect(wrong).rejects.toThrow(
    `00ff is the SHA-256 of the right file, 200000 bytes with ${sha256(content)} came`,
  );
  expect(await readdir(folder)).toEqual([]);
  await get();
  expect(asked).toEqual([undefined, undefined]);
});

test("a kept file that has changed is fetched again", async () => {
  await writeFile(join(folder, "file.zip"), "damaged");
  expect(sha256(await get())).toBe(sha256(content));
  expect(sha256(await readFile(join(folder, "file.zip")))).toBe(sha256(content));
});

test("no network and no such file", async () => {
  answer = (_, response) => response.writeHead(404, "Not Found").end();
  await expect(get()).rejects.toThrow("the server answers 404 Not Found");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(get()).rejects.toThrow(DownloadError);
  await expect(get()).rejects.toThrow(/file\.zip: cannot be fetched \(.*ECONNREFUSED.*\)/);
  await new Promise<void>((resolve) => server.listen(0, resolve));
});

test("an abort keeps what came and gives the signal's reason", async () => {
  const controller = new AbortController();
  answer = (_, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, 50_000));
  };
  const aborted = get(undefined, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await expect(aborted).rejects.toThrow("enough");
  expect((await readFile(join(folder, "file.zip.part"))).length).toBeGreaterThan(0);
});

test.each([
  ["a pipe", ""],
  ["a pipe", ".part"],
  ["a folder", ""],
  ["a folder", ".part"],
])(
  "%s in the place of the file%s is refused at once, and nothing fetched",
  async (what, suffix) => {
    const path = join(folder, `file.zip${suffix}`);
    execFileSync(what === "a pipe" ? "mkfifo" : "mkdir", [path]);
    await expect(
      download({ url, sha256: sha256(content) }, folder, "file.zip", { remedy: "wait" }),
    ).rejects.toThrow(`${path}: it is ${what}, not a file; remove it, downloads are kept there.`);
    expect(asked).toEqual([]);
  },
);
