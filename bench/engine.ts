/**
 * What the engine costs, measured: `npm run bench:engine`. Prints one line a fact (medians), on the
 * machine it runs on; docs/decisions/engine.md quotes it. Idle machine, please.
 */
import { type Array as JaxArray, defaultDevice, grad, init, numpy as np } from "@jax-js/jax";
import { availableParallelism, cpus } from "node:os";

import { type Executable, Program, tensor, type Tensor, type Value } from "../src/program/index.ts";
import { encodeModel } from "../src/program/onnx.ts";
import { openSession } from "../src/program/session.ts";

/** The runtime asks only the first session of a process, so every session here says the same. */
const flushDenormals = process.env["FLUSH"] === "1";
const runs = Number(process.env["RUNS"] ?? 15);

await init("wasm", "cpu");
defaultDevice("wasm");
say(
  "machine",
  `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores, Node ${process.version}`,
);
await matmul();
await nodeCost();
await loopCost();
await sessionCost();
await vectorCost();
await denormalCost();

async function matmul(): Promise<void> {
  const n = 1024;
  const flop = 2 * n ** 3;
  const a = wave([n, n]);
  const jax = np.array(a.data as Float32Array<ArrayBuffer>, { shape: [n, n] });
  const jaxMs = await median(async () => {
    const product = np.matmul(jax.ref, jax.ref);
    await product.blockUntilReady();
    product.dispose();
  }, 5);
  say("matmul 1024, jax-js wasm", `${gigaflops(flop, jaxMs)} GFLOP/s`);
  for (const threads of [1, 2]) {
    const program = new Program("matmul");
    const x = program.input("x", a);
    program.output(
      "y",
      program.call((x: JaxArray) => np.matmul(x, x), x),
    );
    const executable = await program.compile({ threads, flushDenormals });
    const ms = await median(() => executable.runResident({ x: a }));
    say(`matmul 1024, ONNX Runtime, ${threads} threads`, `${gigaflops(flop, ms)} GFLOP/s`);
    await executable.dispose();
  }
}

/** A chain of sines on one number: the price of a node, and of a run with almost none. */
async function nodeCost(): Promise<void> {
  const chain = async (length: number): Promise<Executable> => {
    const program = new Program("chain");
    let x: Value = program.input("x", tensor(0.5));
    for (let i = 0; i < length; i++) x = program.call((x: JaxArray) => np.sin(x), x);
    program.output("y", x);
    return program.compile({ threads: 1, flushDenormals });
  };
  const time = async (length: number): Promise<number> => {
    const executable = await chain(length);
    const ms = await median(() => executable.runResident({ x: tensor(0.5) }), 200);
    await executable.dispose();
    return ms;
  };
  const [short, long] = [await time(1), await time(2001)];
  say("one run", `${microseconds(short)} µs`);
  say("one node", `${microseconds((long - short) / 2000)} µs`);
}

/** A loop that adds one: the price of an iteration beyond its nodes. */
async function loopCost(): Promise<void> {
  const increment = (x: JaxArray): JaxArray => x.add(1);
  const time = async (build: (program: Program, x: Value) => Value): Promise<number> => {
    const program = new Program("loop");
    const x: Value = program.input("x", tensor(0));
    program.output("y", build(program, x));
    const executable = await program.compile({ threads: 1, flushDenormals });
    const ms = await median(() => executable.runResident({ x: tensor(0) }), 50);
    await executable.dispose();
    return ms;
  };
  const length = 10_000;
  const scan = await time(
    (program, x) => program.scan({ length }, (c: Value) => [program.call(increment, c), []], x)[0],
  );
  const loop = await time(
    (program, x) =>
      program.while(
        { limit: length },
        (c: Value) => program.call((c: JaxArray) => c.less(length), c),
        (c: Value) => program.call(increment, c),
        x,
      ).carry,
  );
  say("one Scan iteration with one node", `${microseconds(scan / length)} µs`);
  say("one Loop iteration with three nodes", `${microseconds(loop / length)} µs`);
}

/** Why loops are not unrolled: opening a session costs time for every node. */
async function sessionCost(): Promise<void> {
  const step = (w: JaxArray): JaxArray =>
    w.sub(grad((w: JaxArray) => np.sum(np.log(np.exp(w).add(1))))(w).mul(0.1));
  const open = async (unrolled: boolean): Promise<[number, number]> => {
    const program = new Program("steps");
    let w: Value = program.input("w", wave([60]));
    const started = performance.now();
    if (unrolled) for (let t = 0; t < 500; t++) w = program.call(step, w);
    else [w] = program.scan({ length: 500 }, (w: Value) => [program.call(step, w), []], w);
    program.output("w", w);
    const built = performance.now();
    const executable = await program.compile({ threads: 1, flushDenormals });
    const opened = performance.now();
    await executable.dispose();
    return [built - started, opened - built];
  };
  for (const unrolled of [false, true]) {
    const [trace, session] = await open(unrolled);
    say(
      `500 gradient steps, ${unrolled ? "unrolled" : "as one Scan"}`,
      `${trace.toFixed(0)} ms to trace, ${session.toFixed(0)} ms to open`,
    );
  }
}

/** A matrix times a vector of one axis, and of one column: why products make columns of vectors. */
async function vectorCost(): Promise<void> {
  const [rows, columns] = [2000, 500];
  for (const shape of [[columns], [columns, 1]]) {
    const bytes = encodeModel({
      irVersion: 8,
      opsets: { "": 17 },
      graph: {
        name: "product",
        nodes: [{ op: "MatMul", inputs: ["a", "x"], outputs: ["y"] }],
        inputs: [
          { name: "a", type: "float32", dims: [rows, columns] },
          { name: "x", type: "float32", dims: shape },
        ],
        outputs: [{ name: "y", type: "float32", dims: [rows, ...shape.slice(1)] }],
      },
    });
    const session = await openSession(bytes, { threads: 1, flushDenormals });
    const feeds = new Map([
      ["a", wave([rows, columns])],
      ["x", wave(shape)],
    ]);
    const ms = await median(() => session.run(feeds, ["y"]), 50);
    say(`[${rows}, ${columns}] times a vector [${shape.join(", ")}]`, `${ms.toFixed(2)} ms`);
    await session.dispose();
  }
}

/** A loop that shrinks 20,000 numbers: slowly, and into the denormal range (FLUSH=1 flushes them). */
async function denormalCost(): Promise<void> {
  for (const rate of [0.99, 0.5]) {
    const program = new Program("shrink");
    const x: Value = program.input("x", wave([20_000]));
    const shrink = (x: JaxArray): JaxArray => x.mul(rate);
    const [last] = program.scan({ length: 500 }, (x: Value) => [program.call(shrink, x), []], x);
    program.output("y", last);
    const executable = await program.compile({ threads: 1, flushDenormals });
    const ms = await median(() => executable.runResident({ x: wave([20_000]) }));
    say(`500 steps of x ← ${rate}·x, 20,000 numbers`, `${ms.toFixed(1)} ms`);
    await executable.dispose();
  }
}

async function median(work: () => Promise<unknown>, samples = runs): Promise<number> {
  for (let i = 0; i < 3; i++) await work();
  const times: number[] = [];
  for (let i = 0; i < samples; i++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[samples >> 1]!;
}

function wave(shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i)),
    { shape },
  );
}

function gigaflops(flop: number, ms: number): string {
  return (flop / ms / 1e6).toFixed(0);
}

function microseconds(ms: number): string {
  return (ms * 1e3).toPrecision(2);
}

function say(what: string, measured: string): void {
  process.stdout.write(`${what}: ${measured}\n`);
}
