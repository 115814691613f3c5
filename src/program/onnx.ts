/**
 * The ONNX model format as plain data, and its bytes. Field numbers are those of onnx.proto
 * (github.com/onnx/onnx, onnx/onnx.proto); the protocol-buffer encoding is pbf's.
 */
import { PbfWriter } from "pbf";

import { sizeOf } from "./tensors/tensor.ts";

/** ONNX element types with their TensorProto.DataType number. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;

/** The name of an ONNX element type. */
export type ElementType = keyof typeof elementTypes;

/** An array with its numbers: an initializer, or a constant of a node. */
export interface TensorSpec {
  readonly name?: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Memory in the element type's own layout (little endian), or the strings. */
  readonly data: ArrayBufferView | readonly string[];
}

/** A constant of a node: one number, text, array or graph, or a list of numbers or texts. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly tensor: TensorSpec }
  | { readonly graph: GraphSpec }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] };

/** One operation of a graph. Inputs and outputs are names in the graph; an optional input that is absent is "". */
export interface NodeSpec {
  readonly op: string;
  /** Operator set domain; "" is ai.onnx. */
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A graph input or output. A string dimension is symbolic. */
export interface ValueSpec {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

/** Nodes in an order in which every name is made before it is read. */
export interface GraphSpec {
  readonly name: string;
  readonly nodes: readonly NodeSpec[];
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  readonly initializers?: readonly TensorSpec[];
}

/** A graph with the operator sets that it needs. */
export interface ModelSpec {
  readonly irVersion: number;
  /** Operator set versions by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly graph: GraphSpec;
  readonly producer?: string;
  readonly documentation?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The model's bytes, as in a `.onnx` file. */
export function encodeModel(model: ModelSpec): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, model.irVersion);
  pbf.writeStringField(2, model.producer ?? "stackelberg");
  if (model.documentation) pbf.writeStringField(6, model.documentation);
  pbf.writeMessage(7, writeGraph, model.graph);
  for (const [domain, version] of Object.entries(model.opsets)) {
    pbf.writeMessage(8, writeOpset, { domain, version });
  }
  for (const entry of Object.entries(model.metadata ?? {})) pbf.writeMessage(14, writeEntry, entry);
  return pbf.finish();
}

function writeOpset(opset: { domain: string; version: number }, pbf: PbfWriter): void {
  pbf.writeStringField(1, opset.domain);
  pbf.writeVarintField(2, opset.version);
}

function writeEntry([key, value]: [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeGraph(graph: GraphSpec, pbf: PbfWriter): void {
  for (const node of graph.nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, graph.name);
  for (const tensor of graph.initializers ?? []) pbf.writeMessage(5, writeTensor, tensor);
  for (const value of graph.inputs) pbf.writeMessage(11, writeValue, value);
  for (const value of graph.outputs) pbf.writeMessage(12, writeValue, value);
}

function writeNode(node: NodeSpec, pbf: PbfWriter): void {
  for (const name of node.inputs) pbf.writeStringField(1, name);
  for (const name of node.outputs) pbf.writeStringField(2, name);
  if (node.name) pbf.writeStringField(3, node.name);
  pbf.writeStringField(4, node.op);
  for (const attribute of Object.entries(node.attributes ?? {})) {
    pbf.writeMessage(5, writeAttribute, attribute);
  }
  if (node.domain) pbf.writeStringField(7, node.domain);
}

function writeAttribute([name, value]: [string, Attribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if ("float" in value) {
    pbf.writeFloatField(2, value.float);
    pbf.writeVarintField(20, 1);
  } else if ("int" in value) {
    pbf.writeVarintField(3, value.int);
    pbf.writeVarintField(20, 2);
  } else if ("string" in value) {
    pbf.writeStringField(4, value.string);
    pbf.writeVarintField(20, 3);
  } else if ("tensor" in value) {
    pbf.writeMessage(5, writeTensor, value.tensor);
    pbf.writeVarintField(20, 4);
  } else if ("graph" in value) {
    pbf.writeMessage(6, writeGraph, value.graph);
    pbf.writeVarintField(20, 5);
  } else if ("floats" in value) {
    for (const item of value.floats) pbf.writeFloatField(7, item);
    pbf.writeVarintField(20, 6);
  } else if ("ints" in value) {
    for (const item of value.ints) pbf.writeVarintField(8, item);
    pbf.writeVarintField(20, 7);
  } else {
    for (const item of value.strings) pbf.writeStringField(9, item);
    pbf.writeVarintField(20, 8);
  }
}

function writeTensor(tensor: TensorSpec, pbf: PbfWriter): void {
  for (const length of tensor.dims) pbf.writeVarintField(1, length);
  pbf.writeVarintField(2, elementTypes[tensor.type]);
  if (tensor.name) pbf.writeStringField(8, tensor.name);
  if (!ArrayBuffer.isView(tensor.data)) {
    const encoder = new TextEncoder();
    for (const text of tensor.data) pbf.writeBytesField(6, encoder.encode(text));
  } else {
    const { buffer, byteOffset, byteLength } = tensor.data;
    if (byteLength % Math.max(1, sizeOf(tensor.dims)) !== 0) {
      throw new TypeError(
        `encodeModel: tensor ${tensor.name ?? ""} has ${byteLength} bytes for shape [${tensor.dims.join(", ")}].`,
      );
    }
    pbf.writeBytesField(9, new Uint8Array(buffer, byteOffset, byteLength));
  }
}

function writeValue(value: ValueSpec, pbf: PbfWriter): void {
  pbf.writeStringField(1, value.name);
  pbf.writeMessage(2, writeType, value);
}

function writeType(value: ValueSpec, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, value);
}

function writeTensorType(value: ValueSpec, pbf: PbfWriter): void {
  pbf.writeVarintField(1, elementTypes[value.type]);
  pbf.writeMessage(2, writeShape, value.dims);
}

function writeShape(dims: readonly (number | string)[], pbf: PbfWriter): void {
  for (const dim of dims) pbf.writeMessage(1, writeDimension, dim);
}

function writeDimension(dim: number | string, pbf: PbfWriter): void {
  if (typeof dim === "number") pbf.writeVarintField(1, dim);
  else pbf.writeStringField(2, dim);
}
