/** Our side of the benchmark as a process, with the requests and answers of bench/peers/serve.py. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { type DType, Tensor, type TypedArray } from "../../src/program/index.ts";
import { currentHost } from "../../src/program/session.ts";
import type { Inputs, Sizes, Work } from "./case.ts";
import { cases } from "./cases.ts";

interface Request {
  readonly do: "versions" | "open" | "time" | "gradient" | "peak";
  readonly case: string;
  readonly inputs: string;
  readonly steps?: number;
  readonly runs: number;
}

// As PyTorch is loaded before its process answers.
await (await currentHost()).load({});

const threads = Number(process.argv[2]);
let work: Work | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  const response = await respond(JSON.parse(line) as Request);
  process.stdout.write(`${JSON.stringify(response)}\n`);
}
await work?.dispose();

async function respond(request: Request): Promise<object> {
  switch (request.do) {
    case "versions":
      return { node: process.versions.node, "onnxruntime-node": version("onnxruntime-node") };
    case "peak":
      return { bytes: 1024 * process.resourceUsage().maxRSS };
    case "open": {
      await work?.dispose();
      const inputs = readInputs(request.inputs);
      const sizes: Sizes = request.steps === undefined ? {} : { steps: request.steps };
      const started = performance.now();
      work = cases.find(({ name }) => name === request.case)!.open(inputs, sizes, threads);
      await work.run();
      return { ms: performance.now() - started };
    }
    case "time": {
      const ms: number[] = [];
      for (let i = 0; i < request.runs; i++) {
        const started = performance.now();
        await work!.run();
        ms.push(performance.now() - started);
      }
      return { ms };
    }
    case "gradient":
      return { gradient: (await work!.run()).map(({ data }) => Array.from(data, Number)) };
  }
}

function readInputs(folder: string): Inputs {
  const list = JSON.parse(readFileSync(join(folder, "inputs.json"), "utf8")) as {
    name: string;
    shape: number[];
    dtype: DType;
  }[];
  return Object.fromEntries(
    list.map(({ name, shape, dtype }) => {
      const { buffer, byteOffset, byteLength } = readFileSync(join(folder, `${name}.bin`));
      const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
      const data: TypedArray = dtype === "int32" ? new Int32Array(bytes) : new Float32Array(bytes);
      return [name, new Tensor(dtype, shape, data)];
    }),
  );
}

function version(name: string): string {
  const url = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { version: string }).version;
}
