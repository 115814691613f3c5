// `stackelberg doctor`: what this machine offers, which devices work, and one small hypergradient
// against its closed form.

import { availableParallelism, cpus, release, totalmem } from "node:os";
import type { numpy as np } from "@jax-js/jax";
import { tryDevice, tryDeviceApart, type DeviceFinding } from "./device-probe.ts";
import { exitCodes, oneLine } from "../command/errors.ts";
import { formatSeconds } from "../../data/internal.ts";
import { devices, type Device } from "../command/options.ts";
import { packageVersion, versionOf } from "../../study/index.ts";

/** The self-check: dF/dx of a scalar quadratic after five steps of gradient descent. */
export interface SelfCheck {
  passed: boolean;
  /** −0.149755859375 in exact arithmetic. */
  expected: number;
  value?: number;
  error?: string;
  seconds: number;
}

/** Everything that `doctor` finds. */
export interface Findings {
  stackelberg: string;
  node: string;
  platform: string;
  processor: string;
  cores: number;
  memoryBytes: number;
  onnxruntime: string;
  jax: { version: string; devices: readonly string[] };
  devices: readonly DeviceFinding[];
  selfCheck: SelfCheck;
}

/** Runs the command; 0 when programs run on the CPU and the self-check passes, else 1. */
export async function runDoctor(flags: { json?: boolean; probe?: Device }): Promise<number> {
  if (flags.probe !== undefined) {
    const finding = await tryDevice(flags.probe);
    process.stdout.write(
      `${flags.json === true ? JSON.stringify(finding) : deviceLine(finding)}\n`,
    );
    return finding.works ? exitCodes.ok : exitCodes.failure;
  }
  const findings = await examine();
  const text = flags.json === true ? JSON.stringify(findings) : describe(findings).join("\n");
  process.stdout.write(`${text}\n`);
  const cpuWorks = findings.devices.some(({ device, works }) => device === "cpu" && works);
  return cpuWorks && findings.selfCheck.passed ? exitCodes.ok : exitCodes.failure;
}

async function examine(): Promise<Findings> {
  const found: DeviceFinding[] = [];
  // One after the other: two drivers that start at once can disturb each other.
  for (const device of devices) found.push(await tryDeviceApart(device));
  const processors = cpus();
  return {
    stackelberg: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch} ${release()}`,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    onnxruntime: versionOf("onnxruntime-node"),
    jax: { version: versionOf("@jax-js/jax"), devices: await jaxDevices() },
    devices: found,
    selfCheck: await selfCheck(),
  };
}

/**
 * Inner f = ½·2·y² − xy, outer F = ½(y − 1)² + ½·0.1·x², five steps of size ¼ from y = 0 at x = 1:
 * y = (1 − 2⁻⁵)/2, dy/dx = (1 − 2⁻⁵)/2, so dF/dx = 0.1 + (y − 1)·dy/dx = −0.149755859375.
 */
export async function selfCheck(): Promise<SelfCheck> {
  const expected = -0.149755859375;
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  try {
    const { bilevel, gradientDescent, hypergradient } = await import("../../bilevel/index.ts");
    const { reverse } = await import("../../bilevel/rules/index.ts");
    const { tensor } = await import("../../program/tensors/tensor.ts");
    const problem = bilevel({
      inner: (y: np.Array, x: np.Array) => y.mul(y).sub(x.mul(y)),
      outer: (y: np.Array, x: np.Array) => y.sub(1).mul(y.sub(1)).mul(0.5).add(x.mul(x).mul(0.05)),
    });
    const { gradient } = await hypergradient(problem, {
      rule: reverse({ steps: 5, dynamics: gradientDescent({ learningRate: 0.25 }) }),
      lambda: tensor(1, { dtype: "float64" }),
      w: tensor(0, { dtype: "float64" }),
      data: { inner: {}, outer: {} },
    });
    const value = gradient.item();
    return { passed: Math.abs(value - expected) < 1e-9, expected, value, seconds: seconds() };
  } catch (error) {
    const message = oneLine(error instanceof Error ? error.message : String(error));
    return { passed: false, expected, error: message, seconds: seconds() };
  }
}

function describe(findings: Findings): string[] {
  const { selfCheck: check, jax } = findings;
  const result =
    check.value === undefined ? (check.error ?? "no value") : `hypergradient ${check.value}`;
  const verdict = check.passed ? "passed" : "FAILED";
  return [
    row("stackelberg", findings.stackelberg),
    row("Node", findings.node),
    row("system", findings.platform),
    row(
      "processor",
      `${findings.processor}, ${findings.cores} cores, ${(findings.memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    ),
    row("threads", `up to ${findings.cores}; --threads or STACKELBERG_THREADS chooses fewer`),
    row("ONNX Runtime", findings.onnxruntime),
    row("jax-js", `${jax.version}, back ends ${jax.devices.join(", ") || "none"}`),
    "",
    ...findings.devices.map(deviceLine),
    "",
    row(
      "self-check",
      `${verdict}: ${result}, expected ${check.expected}, ${formatSeconds(check.seconds)}`,
    ),
  ];
}

function deviceLine(finding: DeviceFinding): string {
  const state = finding.works
    ? `works (${formatSeconds(finding.seconds)} to start and run one operation)`
    : `does not work here: ${finding.reason ?? "unknown reason"}`;
  return row(`device ${finding.device}`, state);
}

const row = (name: string, text: string): string => `${name.padEnd(15)} ${text}`;

async function jaxDevices(): Promise<string[]> {
  const { init } = await import("@jax-js/jax");
  return [...(await init("wasm", "cpu"))];
}
