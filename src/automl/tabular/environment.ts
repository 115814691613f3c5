/** Where a run happened, for its record. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import type { TuneOptions, TuneResult } from "./types.ts";

/** Versions, cores and device of this process. */
export function describeEnvironment(options: TuneOptions): TuneResult["environment"] {
  const cores = availableParallelism();
  return {
    stackelberg: versionIn(new URL("../../../package.json", import.meta.url)),
    node: process.versions.node,
    onnxruntime: versionIn(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")),
    cores,
    threads: options.threads ?? cores,
    device: options.device ?? "cpu",
    platform: `${process.platform} ${process.arch}`,
  };
}

function versionIn(path: string | URL): string {
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
