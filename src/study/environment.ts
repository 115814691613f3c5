/** Where a run happens, for its record. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";

/** Versions, cores and device of a process. */
export interface Environment {
  readonly stackelberg: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly cores: number;
  readonly threads: number;
  readonly device: string;
  readonly platform: string;
}

/**
 * Of this process.
 *
 * @param options.threads - of the runtime; default: as many as there are cores, which is its own choice.
 */
export function describeEnvironment(options: {
  readonly threads?: number;
  readonly device: string;
}): Environment {
  const cores = availableParallelism();
  return {
    stackelberg: packageVersion(),
    node: process.versions.node,
    onnxruntime: versionOf("onnxruntime-node"),
    cores,
    threads: options.threads ?? cores,
    device: options.device,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Version of this package, for example `"0.1.0"`: its package.json lies at the same path from src/study and dist/study. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Version of an installed dependency, found next to its entry point. */
export function versionOf(name: string): string {
  let url = new URL(".", `file://${createRequire(import.meta.url).resolve(name)}`);
  for (; url.pathname !== "/"; url = new URL("..", url)) {
    try {
      const text = readFileSync(new URL("package.json", url), "utf8");
      const manifest = JSON.parse(text) as { name?: string; version?: string };
      if (manifest.name === name && manifest.version !== undefined) return manifest.version;
    } catch (error) {
      // No package.json in this folder: it lies further up.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return "unknown";
}
