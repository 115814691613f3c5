// Whether a device works here, found out by running a one-operation program on it. Each trial runs in
// a process of its own: a broken driver that hangs or crashes must not take the command with it.

import { spawn } from "node:child_process";
import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "../../program/index.ts";
import { oneLine, UsageError } from "../command/errors.ts";
import type { Device } from "../command/options.ts";

/** The outcome of trying one device. */
export interface DeviceFinding {
  device: Device;
  works: boolean;
  /** Why not, in a few words; absent when it works. */
  reason?: string;
  seconds: number;
}

const browsersOnly = "it runs in browsers, Node takes cpu";

/** Longest that a trial may take; the first use of a GPU compiles its kernels. */
const trialTimeoutMs = 30_000;

/** Runs x + x on the device in this process. */
export async function tryDevice(device: Device): Promise<DeviceFinding> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  try {
    const { Program, tensor, zeros } = await import("../../program/index.ts");
    const program = new Program("probe");
    const x = program.input("x", zeros([2]));
    program.output(
      "y",
      program.call((a: np.Array) => a.add(a), x),
    );
    const executable = await program.compile({ device });
    const { y } = await executable.run({ x: tensor([1.5, -2]) });
    await executable.dispose();
    const [first, second] = (y as Tensor).data;
    if (first !== 3 || second !== -4)
      throw new Error(`computed ${first}, ${second} instead of 3, -4`);
    return { device, works: true, seconds: seconds() };
  } catch (error) {
    return { device, works: false, reason: shortReason(device, error), seconds: seconds() };
  }
}

/** The runtime's complaint without its source files and our own preamble. */
function shortReason(device: Device, error: unknown): string {
  if (device === "wasm") return browsersOnly;
  const message = oneLine(error instanceof Error ? error.message : String(error));
  return message
    .replace(/^session: ONNX Runtime could not open the program on \w+: /, "")
    .replace(/^\/.* was false\. /, "")
    .trim();
}

/** The same in a process of its own. */
export async function tryDeviceApart(device: Device): Promise<DeviceFinding> {
  const startedAt = performance.now();
  const failed = (reason: string): DeviceFinding => ({
    device,
    works: false,
    reason,
    seconds: (performance.now() - startedAt) / 1000,
  });
  const words = [...process.execArgv, process.argv[1]!, "doctor", "--json", "--probe", device];
  const child = spawn(process.execPath, words, {
    stdio: ["ignore", "pipe", "ignore"],
    timeout: trialTimeoutMs,
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(failed(oneLine(error.message))));
    child.on("close", (_, signal) => {
      const finding = readFinding(text);
      if (finding !== undefined) resolve(finding);
      else if (signal === "SIGTERM") resolve(failed(`no answer within ${trialTimeoutMs / 1000} s`));
      else resolve(failed(`the runtime ended the process${signal === null ? "" : ` (${signal})`}`));
    });
  });
}

/** Refuses a device other than the CPU that does not work here, before any work. */
export async function checkDevice(device: Device): Promise<void> {
  if (device === "cpu") return;
  if (device === "wasm") {
    throw new UsageError(`--device wasm does not work here: ${browsersOnly}; use --device cpu`);
  }
  const finding = await tryDeviceApart(device);
  if (finding.works) return;
  throw new UsageError(
    `--device ${device} does not work here (${finding.reason ?? "unknown reason"}); use --device cpu, and see stackelberg doctor`,
  );
}

function readFinding(text: string): DeviceFinding | undefined {
  try {
    return JSON.parse(text) as DeviceFinding;
  } catch {
    // The process died before it could say anything; its exit tells why.
    return undefined;
  }
}
