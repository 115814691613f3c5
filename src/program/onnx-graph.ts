/** Builds the nodes and constants of an ONNX graph, each value under a name that nothing else has. */
import type { NodeSpec, TensorSpec } from "./onnx.ts";

/** Nodes and constants under construction. */
export class OnnxGraph {
  readonly nodes: NodeSpec[] = [];
  readonly initializers: TensorSpec[] = [];
  readonly #taken: Set<string>;
  #axis: string | undefined;

  /** @param reserved - names of inputs and outputs, which no other value may take. */
  constructor(reserved: readonly string[]) {
    this.#taken = new Set(reserved);
  }

  /** Adds a node with one output; `output` is its exact name, otherwise one is made from `hint`. */
  add(
    op: string,
    inputs: readonly string[],
    hint: string,
    attributes: NodeSpec["attributes"] = {},
    domain = "",
    output: string = this.#fresh(hint),
  ): string {
    this.nodes.push({ op, domain, name: `${op}/${output}`, inputs, outputs: [output], attributes });
    return output;
  }

  /** A float64 constant. */
  doubles(hint: string, dims: number[], values: readonly number[]): string {
    return this.#constant(hint, "float64", dims, Float64Array.from(values));
  }

  /** An int64 constant. */
  integers(hint: string, dims: number[], values: readonly number[]): string {
    return this.#constant(hint, "int64", dims, BigInt64Array.from(values, BigInt));
  }

  /** A constant list of strings. */
  strings(hint: string, values: readonly string[]): string {
    return this.#constant(hint, "string", [values.length], values);
  }

  /** The axes [1] of every Squeeze. */
  axis(): string {
    return (this.#axis ??= this.integers("axis", [1], [1]));
  }

  #constant(
    hint: string,
    type: TensorSpec["type"],
    dims: number[],
    data: TensorSpec["data"],
  ): string {
    const name = this.#fresh(hint);
    this.initializers.push({ name, type, dims, data });
    return name;
  }

  #fresh(hint: string): string {
    let name = hint;
    for (let i = 2; this.#taken.has(name); i++) name = `${hint}_${i}`;
    this.#taken.add(name);
    return name;
  }
}
