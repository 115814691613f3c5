// `stackelberg doctor` on the machine that runs the tests: the CPU must work.

import { expect, test } from "vitest";
import type { Findings } from "../../src/cli/doctor/command.ts";
import { stackelberg } from "./run-cli.ts";

test("doctor finds the CPU and passes its self-check", async () => {
  const [plain, json] = await Promise.all([
    stackelberg(["doctor"]),
    stackelberg(["doctor", "--json"]),
  ]);
  expect(plain.exitCode).toBe(0);
  expect(plain.stdout).toMatch(/^device cpu +works/m);
  expect(plain.stdout).toMatch(/^self-check +passed: hypergradient -0\.149755859/m);
  const findings = JSON.parse(json.stdout) as Findings;
  expect(findings.devices.map(({ device }) => device)).toEqual(["cpu", "webgpu", "cuda", "wasm"]);
  expect(findings.selfCheck.passed).toBe(true);
  expect(Math.abs(findings.selfCheck.value! + 0.149755859375)).toBeLessThan(1e-9);
  expect(findings.onnxruntime).toMatch(/^\d+\.\d+\.\d+/);
  expect(findings.jax.version).toMatch(/^\d+\.\d+\.\d+/);
});
