/**
 * The beginning of every model's graph: from raw columns to encoded rows. Filling, standardization, missing indicators and the
 * lookup of levels are nodes, so any ONNX runtime predicts from an unprepared table.
 */
import type { EncodedInput, Encoder } from "../../data/index.ts";
import type { OnnxGraph } from "../../program/index.ts";
import type { OnnxLevels, OnnxRows } from "../families/onnx-rows.ts";

type Numeric = EncodedInput & { kind: "numeric" };
type Categorical = EncodedInput & { kind: "categorical" };

interface Placed<Spec> {
  spec: Spec;
  /** The graph's input. */
  input: string;
  /** First encoded column. */
  first: number;
}

/** Number of float64 among ONNX's element types. */
const float64 = 11;

/**
 * Writes the encoder.
 *
 * @param names - of the graph's inputs, in the encoder's order: float64 [rows, 1] with NaN for missing, or string [rows, 1] with "" for missing.
 */
export function writeEncoder(
  graph: OnnxGraph,
  encoder: Encoder,
  names: readonly string[],
): OnnxRows {
  const placed = encoder.inputs.map((spec, i) => ({
    spec,
    input: names[i]!,
    first: encoder.group.indexOf(i),
  }));
  const isNumeric = (one: Placed<EncodedInput>): one is Placed<Numeric> =>
    one.spec.kind === "numeric";
  const numbers = placed.filter(isNumeric);
  const numeric = numbers.length === 0 ? undefined : writeNumbers(graph, numbers);
  const categorical = placed
    .filter((one): one is Placed<Categorical> => !isNumeric(one))
    .map((one) => writeLevels(graph, one));
  let matrix: string | undefined;
  return {
    graph,
    numeric,
    categorical,
    matrix: () => (matrix ??= writeMatrix(graph, numeric, categorical)),
  };
}

/** Fill, standardize, indicate: all numeric inputs at once. */
function writeNumbers(
  graph: OnnxGraph,
  numbers: readonly Placed<Numeric>[],
): NonNullable<OnnxRows["numeric"]> {
  const specs = numbers.map(({ spec }) => spec);
  const inputs = numbers.map(({ input }) => input);
  const row = (name: string, pick: (spec: Numeric) => number): string =>
    graph.doubles(name, [1, specs.length], specs.map(pick));
  const raw =
    inputs.length === 1 ? inputs[0]! : graph.add("Concat", inputs, "raw", { axis: { int: 1 } });
  const missing = graph.add("IsNaN", [raw], "missing");
  const filled = graph.add("Where", [missing, row("fill", (s) => s.fill), raw], "filled");
  const centred = graph.add("Sub", [filled, row("mean", (s) => s.mean)], "centred");
  const scaled = graph.add("Div", [centred, row("scale", (s) => s.scale)], "scaled");
  const columns = numbers.map(({ first }) => first);
  const indicated = specs.flatMap((spec, i) => (spec.missingIndicator ? [i] : []));
  if (indicated.length === 0) return { value: scaled, columns };
  const index = graph.integers("indicated", [indicated.length], indicated);
  const flags = graph.add("Gather", [missing, index], "flags", { axis: { int: 1 } });
  const indicators = graph.add("Cast", [flags], "indicators", { to: { int: float64 } });
  return {
    value: graph.add("Concat", [scaled, indicators], "features", { axis: { int: 1 } }),
    columns: [...columns, ...indicated.map((i) => columns[i]! + 1)],
  };
}

/** The place of the row's level: the levels in order, then other ones, then missing. */
function writeLevels(graph: OnnxGraph, { spec, input, first }: Placed<Categorical>): OnnxLevels {
  const count = spec.levels.length;
  const code = graph.add(
    "LabelEncoder",
    [input],
    `${input}/code`,
    {
      keys_strings: { strings: [...spec.levels, ""] },
      values_int64s: { ints: [...spec.levels.map((_, i) => i), count + 1] },
      default_int64: { int: count },
    },
    "ai.onnx.ml",
  );
  const other = first + count;
  return {
    input,
    code: graph.add("Squeeze", [code, graph.axis()], `${input}/row`),
    columns: [
      ...spec.levels.map((_, i) => first + i),
      spec.other ? other : undefined,
      spec.missing ? other + (spec.other ? 1 : 0) : undefined,
    ],
  };
}

/** One-hot rows are rows of an identity matrix; the columns of all blocks then take the encoder's order. */
function writeMatrix(
  graph: OnnxGraph,
  numeric: OnnxRows["numeric"],
  categorical: readonly OnnxLevels[],
): string {
  const columns = [...(numeric?.columns ?? [])];
  const blocks = numeric === undefined ? [] : [numeric.value];
  for (const { input, code, columns: own } of categorical) {
    const present = own.filter((column) => column !== undefined);
    columns.push(...present);
    const rows = own.flatMap((column) => present.map((other) => Number(other === column)));
    const table = graph.doubles(`${input}/one_hot`, [own.length, present.length], rows);
    blocks.push(graph.add("Gather", [table, code], `${input}/columns`, { axis: { int: 0 } }));
  }
  const joined =
    blocks.length === 1 ? blocks[0]! : graph.add("Concat", blocks, "blocks", { axis: { int: 1 } });
  if (columns.every((column, i) => column === i)) return joined;
  const places = columns.map((_, column) => columns.indexOf(column));
  const order = graph.integers("order", [places.length], places);
  return graph.add("Gather", [joined, order], "encoded", { axis: { int: 1 } });
}
