/** The Chromium of the tests that need a browser: where it is, how it is started, and with which headers pages are served. */
import { existsSync } from "node:fs";

/** Where Chromium is looked for; STACKELBERG_CHROMIUM comes first and then is the only choice. */
export const chromiumPaths: readonly string[] = process.env.STACKELBERG_CHROMIUM
  ? [process.env.STACKELBERG_CHROMIUM]
  : [
      "/usr/bin/chromium",
      "/usr/bin/chromium-browser",
      "/usr/bin/google-chrome",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ];

/** The first of them that is there. */
export const chromiumPath: string | undefined = chromiumPaths.find((path) => existsSync(path));

/**
 * Nothing but the page under test: no sandbox (root in a container), no background traffic, and
 * WebGPU in software, so that it is there and the same on every machine.
 */
export const chromiumFlags: string[] = [
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

/** Limits of waiting, in milliseconds: for hangs, as those of the tests. */
export const chromiumPatienceMs = 300_000;

/** Makes every page cross-origin isolated, which is what SharedArrayBuffer, hence threads, need. */
export const crossOriginIsolation: Record<string, string> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};
