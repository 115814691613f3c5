/**
 * A fitted model as one ONNX file that takes the raw columns: the encoder, the family's scores, and what they mean for the
 * target.
 */
import { encodeModel, type ModelSpec } from "../../program/internal.ts";
import { OnnxGraph, type ValueSpec } from "../../program/index.ts";
import type { ModelFamily } from "../families/family.ts";
import { familyNamed } from "../families/index.ts";
import type { TabularModel } from "./model.ts";
import { writeEncoder } from "./onnx-preamble.ts";

/** One input of the ONNX model, in the order of the graph. */
export interface OnnxInput {
  /** The table's column. */
  column: string;
  /** The graph's input; the column's name unless that is empty, taken or an output's name. */
  input: string;
  /** `float64` with NaN for missing, or `string` with "" for missing; shape [rows, 1]. */
  type: "float64" | "string";
  /** What the numbers are, where the table has something else: dates are days. */
  unit?: string;
}

/** Names of the graph's outputs, never used for inputs. */
const outputNames = ["prediction", "label", "probabilities"] as const;

/** Number of float32 among ONNX's element types. */
const float32 = 1;

/** Operator sets and format version: the oldest that have every operator used here. */
const opsets = { "": 17, "ai.onnx.ml": 3 };
const irVersion = 8;

/**
 * The bytes of `model.onnx`.
 *
 * Inputs, one per column of the encoder, each [rows, 1]: numeric columns are float64, NaN means
 * missing, dates are days since 1970-01-01; categorical columns are strings, "" means missing. Columns that the encoder dropped are no
 * inputs. Outputs: `prediction` float64 [rows] for regression; `label` string [rows] and
 * `probabilities` float32 [rows, classes] for classification. All arithmetic is in float64, as in `predictTable`, so
 * that inputs and targets with a large offset keep their digits. The model's metadata describe the inputs, the
 * outputs, the target and the encoder as JSON.
 *
 * @param among - families that are known. Default: those of the registry.
 */
export function exportModel(model: TabularModel, among?: readonly ModelFamily[]): Uint8Array {
  return encodeModel(onnxModel(model, among));
}

/** The graph's inputs of a model, with the column that each belongs to. */
export function onnxInputs(model: TabularModel): OnnxInput[] {
  const taken = new Set<string>(outputNames);
  const wanted = new Set(model.encoder.inputs.map(({ name }) => name));
  return model.encoder.inputs.map((spec) => {
    const { name, kind } = spec;
    const isDate = spec.kind === "numeric" && spec.format?.kind === "date";
    let input = name === "" ? "column" : name;
    for (let i = 2; taken.has(input) || (input !== name && wanted.has(input)); i++) {
      input = `${name === "" ? "column" : name}_${i}`;
    }
    taken.add(input);
    return {
      column: name,
      input,
      type: kind === "numeric" ? "float64" : "string",
      ...(isDate ? { unit: "days since 1970-01-01" } : {}),
    };
  });
}

/** The ONNX model as plain data, see {@link exportModel}. */
export function onnxModel(model: TabularModel, among?: readonly ModelFamily[]): ModelSpec {
  const family = familyNamed(model.family, among);
  const inputs = onnxInputs(model);
  const graph = new OnnxGraph([...inputs.map(({ input }) => input), ...outputNames]);
  const names = inputs.map(({ input }) => input);
  const score = family.toOnnx(model.fitted, writeEncoder(graph, model.encoder, names));
  const outputs = addOutputs(graph, model, score);
  return {
    irVersion,
    opsets,
    producer: "stackelberg",
    documentation: describe(model, family),
    metadata: metadata(model, inputs),
    graph: {
      name: "tabular",
      inputs: inputs.map(({ input, type }) => ({ name: input, type, dims: ["rows", 1] })),
      outputs,
      nodes: graph.nodes,
      initializers: graph.initializers,
    },
  };
}

/** The end of every graph: from scores [rows, outputs] to predictions in the target's unit, or labels and probabilities. */
function addOutputs(graph: OnnxGraph, model: TabularModel, score: string): ValueSpec[] {
  const { target } = model;
  if (target.task === "regression") {
    const scaled = graph.add(
      "Mul",
      [score, graph.doubles("target_scale", [1], [target.scale])],
      "scaled_score",
    );
    const shifted = graph.add(
      "Add",
      [scaled, graph.doubles("target_mean", [1], [target.mean])],
      "shifted_score",
    );
    graph.add("Squeeze", [shifted, graph.axis()], "prediction", undefined, "", "prediction");
    return [{ name: "prediction", type: "float64", dims: ["rows"] }];
  }
  let exact: string;
  if (target.task === "binary") {
    const negative = graph.add("Neg", [score], "negative_score");
    const first = graph.add("Sigmoid", [negative], "first_probability");
    const second = graph.add("Sigmoid", [score], "second_probability");
    exact = graph.add("Concat", [first, second], "exact_probabilities", { axis: { int: 1 } });
  } else {
    exact = graph.add("Softmax", [score], "exact_probabilities", { axis: { int: 1 } });
  }
  const type = { to: { int: float32 } };
  graph.add("Cast", [exact], "probabilities", type, "", "probabilities");
  const best = graph.add("ArgMax", [exact], "class", {
    axis: { int: 1 },
    keepdims: { int: 0 },
  });
  const classes = graph.strings("classes", target.classes);
  graph.add("Gather", [classes, best], "label", { axis: { int: 0 } }, "", "label");
  return [
    { name: "label", type: "string", dims: ["rows"] },
    { name: "probabilities", type: "float32", dims: ["rows", target.classes.length] },
  ];
}

function describe({ target, encoder }: TabularModel, family: ModelFamily): string {
  const called = family.called(target.task);
  const kind = called[0]!.toUpperCase() + called.slice(1);
  return (
    `${kind} of "${target.name}" from ${encoder.inputs.length} raw columns. Feed every input as ` +
    `[rows, 1]: float64 with NaN for missing, or string with "" for missing. The graph fills, ` +
    `standardizes and encodes by itself.`
  );
}

function metadata(model: TabularModel, inputs: readonly OnnxInput[]): Record<string, string> {
  const outputs =
    model.target.task === "regression"
      ? { prediction: "float64 [rows], in the target's unit" }
      : {
          label: "string [rows]",
          probabilities: "float32 [rows, classes], classes in the target's order",
        };
  return {
    "stackelberg.format": "tabular-1",
    "stackelberg.target": JSON.stringify(model.target),
    "stackelberg.inputs": JSON.stringify(inputs),
    "stackelberg.outputs": JSON.stringify(outputs),
    "stackelberg.encoder": JSON.stringify(model.encoder),
  };
}
