// Runs the command line as a process of its own, the way a user does; compile.ts compiled it before the tests.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, inject } from "vitest";

const sources = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** What a finished process left. */
export interface Finished {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** A temporary folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "stackelberg-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Runs `stackelberg` with these words.
 *
 * @param options.onStderr - called with the text so far, for tests that act while the command runs.
 */
export async function stackelberg(
  words: readonly string[],
  options: {
    cwd?: string;
    env?: Record<string, string>;
    onStderr?: (text: string, child: ChildProcess) => void;
    /** A shell's line in which "$@" is the command, such as `"$@" | head -1`. */
    shell?: string;
    /** From the sources, as in a clone. */
    sources?: boolean;
  } = {},
): Promise<Finished> {
  const program =
    options.sources === true ? ["--import", import.meta.resolve("tsx"), sources] : [inject("main")];
  const command = [process.execPath, ...program, ...words];
  const shell = options.shell === undefined ? [] : ["bash", "-c", options.shell, "bash"];
  const [start, ...rest] = [...shell, ...command] as [string, ...string[]];
  const child = spawn(start, rest, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
