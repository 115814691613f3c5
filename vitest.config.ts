/**
 * Tests run in two hosts. `node` takes the unit tests beside the code and everything in test/;
 * `browser` takes test/browser (only there) and test/shared (in both) and runs them in Chromium.
 * Without a Chromium the browser project is left out and one line says why.
 */
import { playwright } from "@vitest/browser-playwright";
import type { TestProjectConfiguration, ViteUserConfig } from "vitest/config";
import {
  chromiumFlags,
  chromiumPath,
  chromiumPaths,
  crossOriginIsolation,
} from "./test/chromium.ts";

const shared = "test/shared/**/*.test.ts";
/** For hangs, not for speed: a busy machine takes many times as long as an idle one. */
const timeouts = { testTimeout: 300_000, hookTimeout: 300_000 };

const node: TestProjectConfiguration = {
  test: {
    name: "node",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/browser/**"],
    globalSetup: "test/cli/compile.ts",
    // Some tests load ONNX Runtime themselves; an empty value counts as unset, as in the library.
    env: {
      ORT_DISABLE_TELEMETRY: process.env.ORT_DISABLE_TELEMETRY || "1",
      // Two workers with a thread each get more done than two that share all cores.
      STACKELBERG_THREADS: process.env.STACKELBERG_THREADS || "1",
    },
    ...timeouts,
  },
};

function browser(executablePath: string): TestProjectConfiguration {
  return {
    server: { headers: crossOriginIsolation },
    // Both packages load files that lie beside them, by `new URL(…, import.meta.url)`: served
    // unbundled, these are the files in node_modules, and nothing comes from outside the machine.
    optimizeDeps: {
      exclude: ["onnxruntime-web", "@jax-js/jax"],
      include: ["fast-check", "@fast-check/vitest", "pbf"],
    },
    test: {
      name: "browser",
      include: ["test/browser/**/*.test.ts", shared],
      ...timeouts,
      fileParallelism: false,
      browser: {
        enabled: true,
        headless: true,
        connectTimeout: timeouts.testTimeout,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath, args: chromiumFlags } }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}

function projects(): TestProjectConfiguration[] {
  if (chromiumPath !== undefined) return [node, browser(chromiumPath)];
  console.log(
    `Browser tests left out: no Chromium at ${chromiumPaths.join(", ")}; set STACKELBERG_CHROMIUM to its path.`,
  );
  return [node];
}

/** When set, the results also go to this file as JSON; `.ci/run` counts them there. */
const json = process.env.STACKELBERG_TEST_JSON;

const config: ViteUserConfig = {
  test: {
    maxWorkers: 2,
    reporters: json ? ["default", ["json", { outputFile: json }]] : ["default"],
    projects: projects(),
  },
};

export default config;
