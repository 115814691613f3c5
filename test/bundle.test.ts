// The package as an application that a bundler packs: built by Vite from its exports, and run in Chromium where there is one.

import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { build, createLogger, preview, type Rolldown } from "vite";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  chromiumFlags,
  chromiumPath,
  chromiumPatienceMs,
  crossOriginIsolation,
} from "./chromium.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "stackelberg-bundle-"));
const warnings: string[] = [];
let output: readonly (Rolldown.OutputChunk | Rolldown.OutputAsset)[] = [];

beforeAll(async () => {
  expect(existsSync(join(root, "dist", "index.js")), "run `npm run build` first").toBe(true);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "stackelberg"));
  symlinkSync(join(root, "node_modules", "@jax-js"), join(folder, "node_modules", "@jax-js"));
  writeFileSync(join(folder, "index.html"), `<script type="module" src="/main.js"></script>`);
  writeFileSync(join(folder, "main.js"), application);
  // Vitest's own would make a bundle for development.
  vi.stubEnv("NODE_ENV", "production");
  const warn = (message: string): void => void warnings.push(message);
  const bundle = await build({
    root: folder,
    logLevel: "silent",
    customLogger: { ...createLogger("silent"), warn, warnOnce: warn },
    build: { target: "esnext" },
  });
  vi.unstubAllEnvs();
  output = (bundle as Rolldown.RolldownOutput).output;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** w* = 1/(1 + e^λ), so at λ = 0 E = 1/16 and dE/dλ = 2 (1/4) (−1/4). */
const application = `
  import { numpy as np } from "@jax-js/jax";
  import { bilevel, gradientDescent, hypergradient, reverse, tensor } from "stackelberg";

  const problem = bilevel({
    inner: (w, lambda) => np.square(w.sub(1)).add(np.exp(lambda).mul(np.square(w))),
    outer: (w) => np.square(w.sub(0.25)),
  });
  const dynamics = gradientDescent({ learningRate: 0.2 });
  try {
    const { value, gradient } = await hypergradient(problem, {
      rule: reverse({ steps: 100, dynamics }),
      lambda: tensor(0),
      w: tensor(0),
      data: { inner: [], outer: [] },
    });
    document.title = [value.item(), gradient.item()].join(" ");
  } catch (error) {
    document.title = error.message;
  }
`;

test("the bundle has no module of Node but those that keep checkpoints in files", () => {
  const externalized = /Module "(.*?)".*imported by ".*\/dist\/(.*?)"/s;
  const modules = warnings.flatMap((text) => externalized.exec(text)?.slice(1).join(" in ") ?? []);
  expect(modules.toSorted()).toEqual([
    "node:fs/promises in bilevel/solve/checkpoint-file.js",
    "node:fs/promises in files/regular-file.js",
    "node:fs/promises in files/replace-file.js",
  ]);
});

test("what a page loads at once is small: the runtimes are files of their own", () => {
  const entry = output.find((file) => file.type === "chunk" && file.isEntry);
  const runtimes = output.filter(({ fileName }) => fileName.endsWith(".wasm"));
  expect((entry as Rolldown.OutputChunk).code.length).toBeLessThan(500_000);
  expect(runtimes.length).toBeGreaterThan(0);
});

test.runIf(chromiumPath)("the page computes a hypergradient", async () => {
  const server = await preview({
    root: folder,
    logLevel: "silent",
    preview: { port: 0, headers: crossOriginIsolation },
  });
  const browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: chromiumFlags,
    timeout: chromiumPatienceMs,
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(chromiumPatienceMs);
    await page.goto(server.resolvedUrls!.local[0]!);
    await page.waitForFunction(() => document.title !== "");
    const [value, gradient] = (await page.title()).split(" ").map(Number);
    expect(value).toBeCloseTo(1 / 16, 6);
    expect(gradient).toBeCloseTo(-1 / 8, 6);
  } finally {
    await browser.close();
    await server.close();
  }
});
