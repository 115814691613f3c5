/**
 * Compiles the sources before the tests of the command line, which start some hundred processes: each is ready in a
 * fifth of the time that it takes to compile while it loads. Only what changed is written again.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The compiled `src/cli/main.ts`. */
    main: string;
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const compiled = join(root, "stackelberg-tests");

export default async function compile(project: TestProject): Promise<void> {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  await mkdir(compiled, { recursive: true });
  // What a package has beside its dist/.
  await copyFile(join(root, "package.json"), join(compiled, "package.json"));
  await rm(join(compiled, "models"), { force: true });
  await symlink(join(root, "models"), join(compiled, "models"), "dir");
  const output = [
    ...["--outDir", join(compiled, "dist")],
    ...["--incremental", "--tsBuildInfoFile", join(compiled, "tsc.json")],
  ];
  const noTypes = ["--noCheck", "--declaration", "false", "--isolatedDeclarations", "false"];
  const words = [tsc, "-p", join(root, "tsconfig.build.json"), ...noTypes, ...output];
  await promisify(execFile)(process.execPath, words);
  project.provide("main", join(compiled, "dist", "cli", "main.js"));
}
