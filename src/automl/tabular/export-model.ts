/**
 * A fitted model as one ONNX file that takes the raw columns. Filling, standardization, missing
 * indicators and the lookup of levels are nodes of the graph, so any ONNX runtime predicts from an
 * unprepared table. One-hot columns times weights is a row of the weights: categorical inputs become
 * a `Gather` from a small table, and no one-hot matrix is ever made.
 */
import type { EncodedInput } from "../../data/index.ts";
import { encodeModel, type ModelSpec, type ValueSpec } from "../../program/onnx.ts";
import { OnnxGraph } from "../../program/onnx-graph.ts";
import type { TabularModel } from "./types.ts";

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

/** Numbers of element types in ONNX. */
const onnxTypes = { float32: 1, float64: 11 } as const;

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
 */
export function exportModel(model: TabularModel): Uint8Array {
  return encodeModel(onnxModel(model));
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
export function onnxModel(model: TabularModel): ModelSpec {
  const inputs = onnxInputs(model);
  const graph = new OnnxGraph([...inputs.map(({ input }) => input), ...outputNames]);
  const score = linearScore(graph, model, inputs);
  const outputs = addOutputs(graph, model, score);
  return {
    irVersion,
    opsets,
    producer: "stackelberg",
    documentation: describe(model),
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

/** bias + numeric block · weights + one table row per categorical input, [rows, outputs]. */
function linearScore(graph: OnnxGraph, model: TabularModel, inputs: readonly OnnxInput[]): string {
  const columns = columnsByInput(model);
  const terms: string[] = [graph.doubles("bias", [1, outputsOf(model)], model.bias)];
  const numeric = columns.filter(({ spec }) => spec.kind === "numeric");
  if (numeric.length > 0) terms.push(numericScore(graph, model, numeric, inputs));
  for (const column of columns) {
    if (column.spec.kind === "numeric") continue;
    terms.push(categoricalScore(graph, model, column.spec, column.first, inputs[column.index]!));
  }
  return graph.add("Sum", terms, "score");
}

type Numeric = EncodedInput & { kind: "numeric" };
type Categorical = EncodedInput & { kind: "categorical" };
interface Placed {
  spec: EncodedInput;
  /** Position among the encoder's inputs. */
  index: number;
  /** First encoded column. */
  first: number;
}

/** Fill, standardize, indicate, multiply: all numeric inputs at once. */
function numericScore(
  graph: OnnxGraph,
  model: TabularModel,
  numeric: readonly Placed[],
  inputs: readonly OnnxInput[],
): string {
  const specs = numeric.map(({ spec }) => spec as Numeric);
  const names = numeric.map(({ index }) => inputs[index]!.input);
  const row = (name: string, pick: (spec: Numeric) => number): string =>
    graph.doubles(name, [1, specs.length], specs.map(pick));
  const raw =
    names.length === 1 ? names[0]! : graph.add("Concat", names, "raw", { axis: { int: 1 } });
  const missing = graph.add("IsNaN", [raw], "missing");
  const filled = graph.add("Where", [missing, row("fill", (s) => s.fill), raw], "filled");
  const centred = graph.add("Sub", [filled, row("mean", (s) => s.mean)], "centred");
  const scaled = graph.add("Div", [centred, row("scale", (s) => s.scale)], "scaled");
  const blocks = [scaled];
  const rows = numeric.map(({ first }) => model.weights[first]!);

  const indicated = specs.flatMap((spec, i) => (spec.missingIndicator ? [i] : []));
  if (indicated.length > 0) {
    const index = graph.integers("indicated", [indicated.length], indicated);
    const flags = graph.add("Gather", [missing, index], "flags", { axis: { int: 1 } });
    blocks.push(graph.add("Cast", [flags], "indicators", { to: { int: onnxTypes.float64 } }));
    rows.push(...indicated.map((i) => model.weights[numeric[i]!.first + 1]!));
  }
  const features =
    blocks.length === 1
      ? blocks[0]!
      : graph.add("Concat", blocks, "features", { axis: { int: 1 } });
  const weights = graph.doubles("weights", [rows.length, outputsOf(model)], rows.flat());
  // Not MatMul: ONNX Runtime folds the scale of a single column into a float32 attribute of that.
  return graph.add("Gemm", [features, weights], "numeric_score");
}

/** The weights of the row's level: its own, those of "other", those of "missing", or zeros. */
function categoricalScore(
  graph: OnnxGraph,
  model: TabularModel,
  spec: Categorical,
  first: number,
  input: OnnxInput,
): string {
  const count = spec.levels.length;
  const none = new Array<number>(outputsOf(model)).fill(0);
  const other = first + count;
  const missing = other + (spec.other ? 1 : 0);
  // Rows of the table: the levels in order, then other, then missing.
  const table = [
    ...spec.levels.map((_, i) => model.weights[first + i]!),
    spec.other ? model.weights[other]! : none,
    spec.missing ? model.weights[missing]! : none,
  ];
  const code = graph.add(
    "LabelEncoder",
    [input.input],
    `${input.input}/code`,
    {
      keys_strings: { strings: [...spec.levels, ""] },
      values_int64s: { ints: [...spec.levels.map((_, i) => i), count + 1] },
      default_int64: { int: count },
    },
    "ai.onnx.ml",
  );
  const flat = graph.add("Squeeze", [code, graph.axis()], `${input.input}/row`);
  const weights = graph.doubles(
    `${input.input}/weights`,
    [table.length, none.length],
    table.flat(),
  );
  return graph.add("Gather", [weights, flat], `${input.input}/score`, { axis: { int: 0 } });
}

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
  const type = { to: { int: onnxTypes.float32 } };
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

/** Where each input's encoded columns start. */
function columnsByInput(model: TabularModel): Placed[] {
  const { inputs, group } = model.encoder;
  return inputs.map((spec, index) => ({ spec, index, first: group.indexOf(index) }));
}

function outputsOf(model: TabularModel): number {
  return model.bias.length;
}

function describe(model: TabularModel): string {
  const { target, encoder } = model;
  const kind =
    target.task === "regression"
      ? "Linear regression"
      : `${target.task === "binary" ? "Logistic" : "Softmax"} classifier`;
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
