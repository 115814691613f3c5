/** Looking through movement: which array a value shows, and how. */
import { throughUnitReshape, type Value } from "../ir.ts";
import type { OperationContext } from "./context.ts";

/** An array seen through broadcasts and transposes: which axis of `root` each axis of the view is. */
export interface View {
  readonly root: Value;
  /** One entry per axis of the view; undefined where the view repeats. */
  readonly axes: readonly (number | undefined)[];
}

/** Walks from a value back to the array whose elements it repeats or reorders. */
export function viewOf(context: OperationContext, value: Value, rank: number): View {
  let root = value;
  let axes: (number | undefined)[] = value.shape.map((_, axis) => axis);
  for (;;) {
    const definition = context.lowering.definition(root);
    if (definition?.kind !== "apply") break;
    const through = throughMovement(
      definition.primitive,
      definition.params,
      root,
      definition.inputs[0],
    );
    if (!through) break;
    axes = axes.map((axis) => (axis === undefined ? undefined : through[axis]));
    root = definition.inputs[0]!;
  }
  // A length of one repeats like a missing axis, whatever it is a view of.
  const own = axes.map((axis) => (axis !== undefined && root.shape[axis] === 1 ? undefined : axis));
  return { root, axes: [...Array<undefined>(rank - own.length).fill(undefined), ...own] };
}

/** For each axis of a movement's result, the axis of its input that it shows. */
function throughMovement(
  primitive: string,
  params: Readonly<Record<string, unknown>>,
  output: Value,
  input: Value | undefined,
): (number | undefined)[] | undefined {
  if (primitive === "transpose") return [...(params["perm"] as number[])];
  if (primitive === "broadcast") {
    const inserted = params["axis"] as number[];
    const missing = output.shape.length - inserted.length - input!.shape.length;
    let next = -missing;
    return output.shape.map((length, axis) => {
      if (inserted.includes(axis)) return undefined;
      const source = next++;
      return source >= 0 && input!.shape[source] === length ? source : undefined;
    });
  }
  if (primitive === "reshape") return throughUnitReshape(input!.shape, output.shape);
  return undefined;
}
