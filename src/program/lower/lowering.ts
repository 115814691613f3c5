/**
 * Writes ONNX nodes on demand. A value is emitted into its own block when something first asks for its
 * name, so what nobody asks for (dead code, a transpose that a product folds in) is never written.
 */
import { type Apply, type Block, type Operation, type Value, walk } from "../ir.ts";
import type {
  Attribute,
  ElementType,
  GraphSpec,
  NodeSpec,
  TensorSpec,
  ValueSpec,
} from "../onnx.ts";
import { castTensor } from "../tensors/tensor.ts";
import {
  elementType,
  type GraphWriter,
  type Kernels,
  type Lower,
  OperationContext,
} from "./context.ts";
import { readHardSigmoid } from "./hard-sigmoid.ts";

export interface LowerRules {
  readonly apply: Readonly<Record<string, Lower | undefined>>;
  readonly unknown: (operation: Apply) => never;
  /** Primitives that consumers fold in, emitted only when one asks for the result. */
  readonly onDemand: ReadonlySet<string>;
}

/** Which forms of primitives a lowering may write; default: all of ONNX's. */
export interface LoweringOptions {
  readonly kernels?: Kernels;
  /** See {@link GraphWriter.isPlain}; default false. */
  readonly plain?: boolean;
}

/** One graph being written: the main graph or a loop's body. */
interface OpenGraph {
  readonly nodes: NodeSpec[];
}

/** What tells a node from others; undefined for a loop. */
function keyOf(
  op: string,
  inputs: readonly string[],
  attributes: Record<string, Attribute> | undefined,
): string | undefined {
  const values = Object.values(attributes ?? {});
  if (values.some((value) => "graph" in value || "tensor" in value)) return undefined;
  return JSON.stringify([op, inputs, attributes]);
}

/** Primitives that a reader of their results may take in. */
const foldable: ReadonlySet<string> = new Set(["mul", "conv", "max"]);

/** A program being written as ONNX graphs, one for its block and one for each loop body. */
export class Lowering implements GraphWriter {
  readonly opset: number;
  readonly kernels: Kernels;
  readonly isPlain: boolean;
  /** Operator sets beyond ai.onnx that nodes were written for. */
  readonly domains: Set<string> = new Set();
  readonly #rules: LowerRules;
  readonly #names = new Map<Value, string>();
  readonly #definitions = new Map<Value, Operation>();
  readonly #home = new Map<Value, OpenGraph>();
  readonly #uses = new Map<Value, number>();
  readonly #initializers = new Map<string, TensorSpec>();
  readonly #ints = new Map<string, string>();
  /** Values that a sum or a hard sigmoid reads, which may become one with them. */
  readonly #folded = new Set<Value>();
  /** The nodes of each graph by what tells them from others. */
  readonly #written = new WeakMap<NodeSpec[], Map<string, string[]>>();
  #counter = 0;

  constructor(rules: LowerRules, opset: number, root: Block, options: LoweringOptions = {}) {
    this.#rules = rules;
    this.opset = opset;
    this.kernels = options.kernels ?? {};
    this.isPlain = options.plain ?? false;
    for (const operation of walk(root)) {
      for (const output of operation.outputs) this.#definitions.set(output, operation);
      for (const input of operation.inputs) this.#uses.set(input, (this.#uses.get(input) ?? 0) + 1);
      if (operation.kind === "apply" && operation.primitive === "reduce") {
        this.#folded.add(operation.inputs[0]!);
      }
      const sigmoid = readHardSigmoid(operation, (value) => this.#definitions.get(value));
      for (const value of sigmoid?.inside ?? []) this.#folded.add(value);
    }
  }

  definition(value: Value): Operation | undefined {
    return this.#definitions.get(value);
  }

  uses(value: Value): number {
    return this.#uses.get(value) ?? 0;
  }

  get initializers(): TensorSpec[] {
    return [...this.#initializers.values()];
  }

  /** Says that `name` holds `value`. */
  bind(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  /** A name not used before. */
  fresh(hint: string): string {
    return `${hint}_${this.#counter++}`;
  }

  /** The name that holds `value` in the graph, emitting what is needed for it. */
  name(value: Value): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const operation = this.#definitions.get(value);
    const graph = this.#home.get(value);
    if (!operation || !graph)
      throw new Error(`lower: ${value} is used outside the loop that makes it.`);
    this.#emit(operation, graph.nodes);
    return this.#names.get(value)!;
  }

  /** Writes a block as a graph with the given inputs; its outputs are named on demand. */
  graph(
    block: Block,
    name: string,
    inputs: readonly ValueSpec[],
    outputNames?: readonly string[],
  ): GraphSpec {
    const graph: OpenGraph = { nodes: [] };
    block.parameters.forEach((parameter, i) => this.#names.set(parameter, inputs[i]!.name));
    for (const operation of block.operations) {
      for (const output of operation.outputs) this.#home.set(output, graph);
    }
    // In program order, so that a long chain does not become deep recursion.
    for (const operation of block.operations) {
      if (!this.#isOnDemand(operation)) this.name(operation.outputs[0]!);
    }
    // An output must be made by a node of this very graph, and only once.
    const outputs = block.results.map((value, i) => {
      const source = this.name(value);
      const own = outputNames?.[i] ?? this.fresh("out");
      graph.nodes.push({ op: "Identity", inputs: [source], outputs: [own] });
      return { name: own, type: elementType(value.dtype), dims: value.shape };
    });
    return { name, nodes: graph.nodes, inputs, outputs };
  }

  /**
   * The outputs of a node, the one that is there already if the graph has the same: two convolutions with one filter
   * rearrange it once.
   */
  node(
    nodes: NodeSpec[],
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, Attribute>,
    outputs = 1,
    domain?: string,
  ): string[] {
    const key = this.isPlain ? undefined : keyOf(op, inputs, attributes);
    const written = this.#written.get(nodes) ?? new Map<string, string[]>();
    this.#written.set(nodes, written);
    const same = key === undefined ? undefined : written.get(key);
    if (same) return same;
    const names = Array.from({ length: outputs }, () => this.fresh(op));
    if (key !== undefined) written.set(key, names);
    if (domain !== undefined) this.domains.add(domain);
    nodes.push({
      op,
      inputs,
      outputs: names,
      ...(attributes && { attributes }),
      ...(domain !== undefined && { domain }),
    });
    return names;
  }

  /** The name of an embedded array; equal arrays share one. */
  initializer(type: ElementType, dims: readonly number[], data: ArrayBufferView): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const content = bytes.length <= 1024 ? bytes.join() : String(this.#counter++);
    const key = `${type} ${dims.join()} ${content}`;
    const known = this.#initializers.get(key);
    if (known) return known.name!;
    const name = this.fresh("const");
    this.#initializers.set(key, { name, type, dims, data });
    return name;
  }

  /** The name of an embedded int64 vector. A program asks for thousands, most of them known. */
  ints(values: readonly number[]): string {
    const key = values.join();
    let name = this.#ints.get(key);
    if (name === undefined) {
      name = this.initializer("int64", [values.length], BigInt64Array.from(values, BigInt));
      this.#ints.set(key, name);
    }
    return name;
  }

  /** What a consumer may fold in, and so must ask for. */
  #isOnDemand(operation: Operation): boolean {
    if (operation.kind === "constant" || operation.outputs.length === 0) return true;
    if (operation.kind !== "apply") return false;
    return (
      this.#rules.onDemand.has(operation.primitive) ||
      (foldable.has(operation.primitive) && this.#folded.has(operation.outputs[0]!))
    );
  }

  #emit(operation: Operation, nodes: NodeSpec[]): void {
    const names = this.#lower(operation, nodes);
    operation.outputs.forEach((output, i) => this.#names.set(output, names[i]!));
  }

  #lower(operation: Operation, nodes: NodeSpec[]): readonly string[] {
    switch (operation.kind) {
      case "constant": {
        const { dtype, shape, data } = operation.tensor;
        return [this.initializer(elementType(dtype), shape, data)];
      }
      case "apply": {
        const rule = this.#rules.apply[operation.primitive] ?? this.#rules.unknown(operation);
        return rule(new OperationContext(this, nodes), operation);
      }
      case "scan":
        return this.#scan(operation, nodes);
      case "while":
        return this.#while(operation, nodes);
    }
  }

  #scan(scan: Operation & { kind: "scan" }, nodes: NodeSpec[]): string[] {
    const { body, carries, inputs, length, outputs } = scan;
    if (length === 0) {
      return outputs.map((output, i) =>
        i < carries ? this.name(inputs[i]!) : this.#empty(output),
      );
    }
    const sources = inputs.map((input) => this.name(input));
    const graph = this.graph(body, this.fresh("body"), this.#parameters(body));
    const scanned = inputs.length - carries;
    const stacked = outputs.length - carries;
    const direction = scan.reverse ? 1 : 0;
    const attributes: Record<string, Attribute> = {
      body: { graph },
      num_scan_inputs: { int: scanned },
    };
    if (direction) {
      attributes["scan_input_directions"] = { ints: Array<number>(scanned).fill(1) };
      if (stacked) attributes["scan_output_directions"] = { ints: Array<number>(stacked).fill(1) };
    }
    return this.node(nodes, "Scan", sources, attributes, outputs.length);
  }

  #while(loop: Operation & { kind: "while" }, nodes: NodeSpec[]): string[] {
    const [start, ...carry] = loop.inputs.map((input) => this.name(input));
    const limit = this.initializer("int64", [], BigInt64Array.of(BigInt(loop.limit)));
    const iteration: ValueSpec = { name: this.fresh("iteration"), type: "int64", dims: [] };
    const condition: ValueSpec = { name: this.fresh("condition"), type: "bool", dims: [] };
    const parameters = this.#parameters(loop.body);
    const inner = this.graph(loop.body, this.fresh("body"), parameters);
    const graph = { ...inner, inputs: [iteration, condition, ...parameters] };
    return this.node(
      nodes,
      "Loop",
      [limit, start!, ...carry],
      { body: { graph } },
      loop.outputs.length,
    );
  }

  #parameters(block: Block): ValueSpec[] {
    return block.parameters.map(({ dtype, shape }) => ({
      name: this.fresh("in"),
      type: elementType(dtype),
      dims: shape,
    }));
  }

  #empty({ dtype, shape }: Value): string {
    return this.initializer(elementType(dtype), shape, castTensor([], { dtype, shape }).data);
  }
}
