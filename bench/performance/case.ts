/** What a benchmark case is: seeded inputs of a size, and our side of the work on them. */
import { randomKey, type RandomStream, randomStream } from "../../src/random/index.ts";
import { Tensor, type TypedArray } from "../../src/program/index.ts";

/** Sizes of a case by name, such as n, d and steps. */
export type Sizes = Readonly<Record<string, number>>;

/** The arrays of a case by name; both sides read the same. */
export type Inputs = Readonly<Record<string, Tensor>>;

/** Our side of a case, compiled. */
export interface Work {
  /** One evaluation: the hypergradient's leaves, in the order of the peer's. */
  run(): Promise<Tensor[]>;
  dispose(): Promise<void>;
}

export interface Case {
  /** The peer's name for it. */
  readonly name: string;
  /** What it is, for the page. */
  readonly title: string;
  /** The least ratio peer time / our time that we hold ourselves to. */
  readonly floor: number;
  readonly full: Sizes;
  /** A small instance, to compare both sides' numbers. */
  readonly small: Sizes;
  inputs(sizes: Sizes, random: RandomStream): Inputs;
  /** Traces and compiles. */
  open(inputs: Inputs, sizes: { readonly steps?: number }, threads: number): Work;
}

/** The inputs of a case, the same at every call. */
export function drawInputs(one: Case, sizes: Sizes): Inputs {
  return one.inputs(sizes, randomStream(randomKey(0, "bench", one.name)));
}

export function normal(random: RandomStream, shape: number[], scale = 1): Tensor {
  return fill(shape, () => scale * random.normal());
}

export function uniform(random: RandomStream, shape: number[]): Tensor {
  return fill(shape, () => random.uniform());
}

/** −1 or 1, each as likely. */
export function signs(random: RandomStream, count: number): Tensor {
  return fill([count], () => 2 * random.integer(2) - 1);
}

export function constant(shape: number[], value: number): Tensor {
  return fill(shape, () => value);
}

export function labels(shape: number[], draw: (index: number) => number): Tensor {
  return new Tensor(
    "int32",
    shape,
    new Int32Array(sizeOf(shape)).map((_, i) => draw(i)),
  );
}

function fill(shape: number[], draw: () => number): Tensor {
  const data: TypedArray = new Float32Array(sizeOf(shape)).map(draw);
  return new Tensor("float32", shape, data);
}

function sizeOf(shape: number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
