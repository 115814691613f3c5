import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkFormat, countLineBreaks, lineAt, readBytes } from "./read-bytes.ts";
import { openTable, parseTable, readTable } from "../tables/reading/read-table.ts";
import { DataError } from "../data-error.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stackelberg-data-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test("gzip is recognized by its bytes, whatever the name, in one or several members", async () => {
  const text = "a,b\n1,2\n3,4\n";
  const packed = gzipSync(text);
  const parts = Buffer.concat([gzipSync("a,b\n"), gzipSync("1,2\n3,4\n")]);
  const tables = await Promise.all(
    [
      await write("plain.csv", text),
      await write("packed.data", packed),
      await write("parts.csv.gz", parts),
    ].map(async (path) => (await readTable(path)).table.columns),
  );
  expect(tables[1]).toEqual(tables[0]);
  expect(tables[2]).toEqual(tables[0]);
});

test("damaged and cut gzip", async () => {
  const packed = gzipSync("a,b\n" + "1,2\n3,4\n".repeat(100));
  const damaged = Uint8Array.from(packed);
  damaged[damaged.length - 6]! ^= 0xff;
  for (const [name, content] of [
    ["cut.csv.gz", packed.subarray(0, packed.length - 9)],
    ["damaged.csv.gz", damaged],
  ] as const) {
    const path = await write(name, content);
    await expect(readBytes(path)).rejects.toThrow(DataError);
    await expect(readBytes(path)).rejects.toThrow(
      /\.csv\.gz: the gzip data are damaged or cut off \(.+\); fetch the file again or unzip it yourself\.$/,
    );
  }
});

test("gzip that becomes more than allowed is refused, and read when the limit is raised", async () => {
  const path = await write("large.csv.gz", gzipSync("a,b\n" + "1,2\n".repeat(50_000)));
  await expect(readTable(path, { maxUnpacked: 200_000 })).rejects.toThrow(
    /large\.csv\.gz: it unpacks to more than 200 kB; raise maxUnpacked \(--max-unpacked\) if you trust the file\.$/,
  );
  expect((await readTable(path, { maxUnpacked: 200_004 })).table.rowCount).toBe(50_000);
  await expect(readTable(path, { maxUnpacked: -1 })).rejects.toThrow(RangeError);
});

test.runIf(process.platform === "linux")("pipes, devices and circles are refused", async () => {
  const pipe = join(folder, "pipe.csv");
  execFileSync("mkfifo", [pipe]);
  await symlink("circle.csv", join(folder, "circle.csv"));
  for (const [path, message] of [
    [pipe, "it is a pipe, not a file; write its contents to a file first."],
    ["/dev/zero", "it is a device, not a file; write its contents to a file first."],
    [join(folder, "circle.csv"), "it is a link that leads in a circle; remove it."],
  ] as const) {
    await expect(readTable(path)).rejects.toThrow(DataError);
    await expect(readTable(path)).rejects.toThrow(`${path}: ${message}`);
  }
});

test("a missing file and a directory", async () => {
  await expect(readTable(join(folder, "nowhere.csv"))).rejects.toThrow(
    /nowhere\.csv: there is no such file; check the path\.$/,
  );
  await expect(readTable(folder)).rejects.toThrow(
    /it is a folder, not a file; give the file inside it\.$/,
  );
});

test.each([
  ["PK\u0003\u0004", "a zip archive or an Excel workbook, not CSV text; export the sheet as CSV"],
  ["PAR1", "a Parquet file, not CSV text; export the data as CSV"],
  ["%PDF-1.7", "a PDF, not CSV text; export the data as CSV"],
])("known binary formats: %j", (start, what) => {
  expect(() => checkFormat(new TextEncoder().encode(start), "data.csv")).toThrow(
    `data.csv: this is ${what}.`,
  );
});

test("lines end with \\n, \\r\\n or a lone \\r", () => {
  const text = new TextEncoder().encode("a\r\nb\rc\nd");
  expect(countLineBreaks(text)).toBe(3);
  expect([..."abcd"].map((letter) => lineAt(text, text.indexOf(letter.charCodeAt(0))))).toEqual([
    1, 2, 3, 4,
  ]);
  expect(lineAt(text, 2)).toBe(1);
});

test("the SHA-256 is that of the bytes that were read, as they are packed, and stays so", async () => {
  const text = "a,b\n1,2\n3,4\n";
  const sum = (bytes: Uint8Array | string): string =>
    createHash("sha256").update(bytes).digest("hex");
  const packed = gzipSync(text);
  expect((await readTable(await write("plain.csv", text))).sha256).toBe(sum(text));
  expect((await readTable(await write("packed.csv.gz", packed))).sha256).toBe(sum(packed));
  expect(parseTable(new TextEncoder().encode(text), "t.csv").sha256).toBe(sum(text));
  const path = await write("changing.csv", text);
  const file = await openTable(path);
  await writeFile(path, "a,b\n5,6\n");
  const { table, sha256 } = file.parse({});
  expect([file.sha256, sha256, table.rowCount]).toEqual([sum(text), sum(text), 2]);
});

test("a dash is no file: standard input is not read", async () => {
  await expect(readTable("-")).rejects.toThrow(/^-: standard input is not read as a table; write/);
});
