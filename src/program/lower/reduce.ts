/** Reductions over axes. A sum of products becomes a matrix product. */
import type { Apply } from "../ir.ts";
import { type Shape, sizeOf } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";
import { contract, isProfitable } from "./contract.ts";
import { sumOfConvolutions } from "./conv/conv.ts";

export const reduce: Lower = (context, operation) => {
  const { inputs, params, outputs } = operation;
  const [x] = inputs;
  const axes = params["axis"] as number[];
  const op = params["op"] as "Add" | "Mul" | "Max" | "Min";
  if (axes.length === 0) return [context.name(x!)];

  const product = op === "Add" ? productOf(context, operation) : undefined;
  if (product)
    return [contract(context, product.inputs[0]!, product.inputs[1]!, axes, outputs[0]!)];

  const { isPlain } = context.lowering;
  const folded = op === "Add" && !isPlain ? sumOfConvolutions(context, operation) : undefined;
  if (folded) {
    const { name, axes } = folded;
    return [axes.length === 0 ? name : context.reduce("ReduceSum", name, axes)];
  }

  const name = context.name(x!);
  const { dtype } = outputs[0]!;
  if (sizeOf(x!.shape) === 0 && sizeOf(outputs[0]!.shape) > 0) {
    return [context.expand(context.scalar(identity(op, dtype), dtype), outputs[0]!.shape)];
  }
  const node = { Add: "ReduceSum", Mul: "ReduceProd", Max: "ReduceMax", Min: "ReduceMin" }[op];
  if (dtype === "bool") {
    // Any is max, all is min; a boolean sum is "any", a boolean product "all".
    const numeric = op === "Add" || op === "Max" ? "ReduceMax" : "ReduceMin";
    return [context.cast(context.reduce(numeric, context.cast(name, "int32"), axes), "bool")];
  }
  if (dtype === "uint32") {
    const wide = context.node("Cast", [name], { to: { int: 7 } });
    return [context.cast(context.reduce(node, wide, axes), "uint32")];
  }
  const last = isPlain ? undefined : lastRun(x!.shape, axes);
  if (last === undefined) return [context.reduce(node, name, axes)];
  const rest = axes.filter((axis) => !last.includes(axis));
  return [context.reduce(node, context.reduce(node, name, last), rest)];
};

/**
 * The last axes, when they are better reduced first: ONNX Runtime is fast where at most three runs of kept and reduced
 * axes alternate, and walks through the array number by number otherwise.
 */
function lastRun(shape: Shape, axes: readonly number[]): number[] | undefined {
  const runs: { reduced: boolean; axes: number[] }[] = [];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const reduced = axes.includes(axis);
    const run = runs.at(-1);
    if (run?.reduced === reduced) run.axes.push(axis);
    else runs.push({ reduced, axes: [axis] });
  });
  return runs.length > 3 && runs.at(-1)!.reduced ? runs.at(-1)!.axes : undefined;
}

/** The product being summed, when nothing else needs it and a matrix product saves memory traffic. */
function productOf(context: OperationContext, operation: Apply): Apply | undefined {
  const [x] = operation.inputs;
  const definition = context.lowering.definition(x!);
  if (definition?.kind !== "apply" || definition.primitive !== "mul") return undefined;
  if (!x!.dtype.startsWith("float") || x!.dtype === "float16") return undefined;
  if (context.lowering.uses(x!) !== 1) return undefined;
  const [a, b] = definition.inputs;
  const axes = operation.params["axis"] as number[];
  return isProfitable(context, a!, b!, x!.shape, axes) ? definition : undefined;
}

function identity(op: "Add" | "Mul" | "Max" | "Min", dtype: string): number {
  if (op === "Add") return 0;
  if (op === "Mul") return 1;
  const low = { int32: -2147483648, uint32: 0, bool: 0 }[dtype] ?? -Infinity;
  const high = { int32: 2147483647, uint32: 4294967295, bool: 1 }[dtype] ?? Infinity;
  return op === "Max" ? low : high;
}
