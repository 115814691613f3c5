/**
 * Tests run in two hosts. `node` takes the unit tests beside the code and everything in test/;
 * `browser` takes test/browser (only there) and test/shared (in both) and runs them in Chromium.
 * Without a Chromium the browser project is left out and one line says why.
 */
import { playwright } from "@vitest/browser-playwright";
import { existsSync } from "node:fs";
import type { TestProjectConfiguration, ViteUserConfig } from "vitest/config";

const shared = "test/shared/**/*.test.ts";
const timeouts = { testTimeout: 30_000, hookTimeout: 30_000 };

/** Where Chromium is looked for; STACKELBERG_CHROMIUM comes first and then is the only choice. */
const chromiumPaths = process.env.STACKELBERG_CHROMIUM
  ? [process.env.STACKELBERG_CHROMIUM]
  : [
      "/usr/bin/chromium",
      "/usr/bin/chromium-browser",
      "/usr/bin/google-chrome",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ];

/**
 * Nothing but the page under test: no sandbox (root in a container), no background traffic, and
 * WebGPU in software, so that it is there and the same on every machine.
 */
const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Makes every page cross-origin isolated, which is what SharedArrayBuffer, hence threads, need. */
const crossOriginIsolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const node: TestProjectConfiguration = {
  test: {
    name: "node",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/browser/**"],
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
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath, args: chromiumFlags } }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}

function projects(): TestProjectConfiguration[] {
  const chromium = chromiumPaths.find((path) => existsSync(path));
  if (chromium !== undefined) return [node, browser(chromium)];
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
