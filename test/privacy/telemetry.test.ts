/** Nothing leaves the machine and no file appears where nobody asked for one, whatever loads ONNX Runtime. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { importsOf, repositoryFiles } from "../formalities/repository.ts";

const tsx = import.meta.resolve("tsx");
const script = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const child = script("run-a-program.ts");
const folder = mkdtempSync(join(tmpdir(), "stackelberg-privacy-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An environment in which nothing speaks against usage data: ONNX Runtime sends none on a CI server. */
function bareEnvironment(home: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { ORT_DISABLE_TELEMETRY, ORT_RUNNING_UNIT_TESTS, STACKELBERG_DATA, ...rest } = process.env;
  void [ORT_DISABLE_TELEMETRY, ORT_RUNNING_UNIT_TESTS, STACKELBERG_DATA];
  const onServer = /^(CI|TF_BUILD|BUILD_.*|GITHUB_.*|GITLAB_.*|JENKINS_.*|VITEST.*)$/;
  const env = Object.fromEntries(Object.entries(rest).filter(([name]) => !onServer.test(name)));
  return { ...env, HOME: home, XDG_CACHE_HOME: join(home, "cache"), ...more };
}

/** A new home folder and what to start in it. */
function homeFolder(): string {
  return mkdtempSync(join(folder, "home-"));
}

/** Every file below a folder. */
function filesBelow(home: string): string[] {
  const entries = readdirSync(home, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

/** Runs words in a home folder to their end, and says which files appeared there. */
function filesAfter(words: readonly string[], more?: Record<string, string>): string[] {
  const home = homeFolder();
  const { status, stderr } = spawnSync(process.execPath, ["--import", tsx, ...words], {
    cwd: home,
    env: bareEnvironment(home, more),
    input: "",
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return filesBelow(home);
}

// What the runtime does by itself is known on Linux only; there this shows that the tests below can fail.
describe.runIf(process.platform === "linux")("files", () => {
  test("ONNX Runtime alone keeps a device id", () => {
    expect(filesAfter([child, "runtime"])).toContain("deviceid");
  });

  test("a user's own setting stays, an empty one is none", () => {
    expect(filesAfter([child, "library"], { ORT_DISABLE_TELEMETRY: "0" })).toContain("deviceid");
    expect(filesAfter([child, "library"], { ORT_DISABLE_TELEMETRY: "" })).toEqual([]);
  });
});

test.each(["library", "worker"])("the library leaves no file: %s", (how) => {
  expect(filesAfter([child, how])).toEqual([]);
});

test("the command line leaves no file but its own", () => {
  const main = script("../../src/cli/main.ts");
  const out = join(folder, "out");
  mkdirSync(out);
  const words = ["tune", "--demo", "--quiet", "--repeats", "1", "--steps", "1"];
  expect(filesAfter([main, ...words, "--out", join(out, "demo")])).toEqual([]);
  expect(filesAfter([main, "doctor"])).toEqual([]);
});

/** The trace of a process: files that it opens and hosts that it calls, and an end to it. */
interface Traced {
  readonly process: ChildProcess;
  readonly trace: () => string;
}

function traced(how: string): Traced {
  const home = homeFolder();
  const file = join(folder, `${how}.strace`);
  const words = ["-f", "-e", "trace=open,openat,connect,sendto,sendmmsg", "-o", file];
  const process_ = spawn("strace", [...words, process.execPath, "--import", tsx, child, how], {
    cwd: home,
    env: bareEnvironment(home),
    stdio: ["pipe", "pipe", "inherit"],
  });
  return { process: process_, trace: () => readFileSync(file, "utf8") };
}

/** What a look-up of a name touches; a process that asks nobody has none of it. */
const lookUp = /resolv\.conf|AF_INET/;

const probe = spawnSync("strace", ["-f", "-o", join(folder, "probe"), "true"]);
const canTrace = process.platform === "linux" && probe.status === 0;
if (!canTrace) console.log("No look at system calls: strace is not here or may not be used.");

/** Without certificates the runtime, by itself, writes its files but calls nobody. */
const hasCertificates = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
].some((path) => existsSync(path));

test.runIf(canTrace)("no machine id is read and no name looked up", async () => {
  const alone = traced("runtime");
  const ours = [traced("library"), traced("worker")];
  for (const { process: started } of [alone, ...ours]) await said(started, "ran");
  // Alone, the runtime asks for its collector after some nine seconds.
  if (hasCertificates) while (!lookUp.test(alone.trace())) await sleep(200);
  for (const { process: started } of [alone, ...ours]) await ended(started);
  expect(alone.trace()).toContain("/etc/machine-id");
  for (const { trace } of ours) {
    expect(trace()).toContain("libonnxruntime");
    expect(trace().match(lookUp)).toBeNull();
    expect(trace()).not.toMatch(/machine-id|deviceid/);
  }
});

async function said(process_: ChildProcess, word: string): Promise<void> {
  for await (const text of process_.stdout!.iterator({ destroyOnReturn: false })) {
    if (String(text).includes(word)) return;
  }
  throw new Error(`the process ended without "${word}"`);
}

async function ended(process_: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => process_.on("close", resolve));
  process_.stdout!.resume();
  process_.stdin!.end();
  expect(await exit).toBe(0);
}

test("this process, too, has told ONNX Runtime", () => {
  expect(process.env["ORT_DISABLE_TELEMETRY"]).toBeTruthy();
});

test("only the host loads ONNX Runtime, and tests, for which vitest.config.ts speaks", () => {
  const loaders = repositoryFiles()
    .filter((path) => path.endsWith(".ts") && !path.startsWith("test/privacy/"))
    .filter((path) => !path.endsWith(".test.ts"))
    .filter((path) =>
      importsOf(path).some((found) => found.specifier === "onnxruntime-node" && !found.typeOnly),
    );
  expect(loaders).toEqual(["src/program/hosts/node.ts"]);
});
