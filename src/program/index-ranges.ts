/**
 * Indices that are given as data, such as the labels of a cross-entropy: which places they may name. The engine fails in
 * its own words where an index lies outside its axis, counts a negative one from the end, which is another class's row,
 * and drops it where only the derivative is computed; so what comes in is looked at before it runs.
 */
import { type Apply, type Block, type Operation, type Value } from "./ir.ts";
import type { Tensor } from "./tensors/tensor.ts";

/** The places that an input's numbers may name. */
export interface IndexRange {
  readonly least: number;
  readonly most: number;
}

/**
 * For each parameter of the block that an axis is read by, as it is or moved, its range. Indices that are computed first
 * (`np.where(labels < 0, 0, labels)`), or of which only a part is used, are not among them.
 */
export function indexRanges(block: Block): ReadonlyMap<Value, IndexRange> {
  const ranges = new Map<Value, IndexRange>();
  const shown = new Map<Value, Value>(block.parameters.map((value) => [value, value]));
  const identities = new Set<Value>();
  const visit = (operations: readonly Operation[]): void => {
    for (const operation of operations) {
      const { inputs, outputs } = operation;
      if (operation.kind === "constant") {
        if (isIdentity(operation.tensor)) identities.add(outputs[0]!);
      } else if (operation.kind === "scan") {
        const { carries, body } = operation;
        inputs.slice(carries).forEach((stacked, i) => {
          const source = shown.get(stacked);
          if (source) shown.set(body.parameters[carries + i]!, source);
        });
        visit(body.operations);
      } else if (operation.kind === "while") {
        visit(operation.body.operations);
      } else if (operation.primitive === "gather") {
        narrow(operation, inputs[0]!);
      } else if (operation.primitive === "scatter") {
        // What is left of a reading in its derivative.
        narrow(operation, outputs[0]!);
      } else if (moving.has(operation.primitive)) {
        const source = shown.get(inputs[0]!);
        if (source && isWhole(outputs[0]!)) shown.set(outputs[0]!, source);
        if (identities.has(inputs[0]!) && operation.primitive === "cast") {
          identities.add(outputs[0]!);
        }
      }
    }
  };
  const narrow = ({ inputs: [, ...indices], params }: Apply, table: Value): void => {
    (params as { axis: readonly number[] }).axis.forEach((axis, i) => {
      const source = shown.get(indices[i]!);
      if (source === undefined) return;
      const length = table.shape[axis]!;
      // A row of the identity is a class's indicator; counted from the end it would be another class's.
      const least = identities.has(table) ? 0 : -length;
      const before = ranges.get(source) ?? { least: -Infinity, most: Infinity };
      ranges.set(source, {
        least: Math.max(before.least, least),
        most: Math.min(before.most, length - 1),
      });
    });
  };
  visit(block.operations);
  return ranges;
}

/** The first number outside a range, in words; undefined when there is none. */
export function outsideOf({ least, most }: IndexRange, tensor: Tensor): string | undefined {
  const at = tensor.data.findIndex((value) => !(value >= least && value <= most));
  if (at < 0) return undefined;
  const from = least < 0 ? `${least} (from the end)` : String(least);
  return `element ${at} is ${tensor.data[at]}, but an axis of ${most + 1} is read by it, so it must be from ${from} to ${most}; number classes from 0, or make the axis longer. Where it marks a missing label, replace it first, with np.where(…), and mask the loss`;
}

/** What moves numbers about without leaving one out. */
const moving = new Set(["reshape", "transpose", "broadcast", "flip", "cast"]);

function isWhole({ dtype }: Value): boolean {
  return dtype === "int32" || dtype === "uint32";
}

function isIdentity({ shape, data, dtype }: Tensor): boolean {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows !== columns || dtype === "float16" || rows! < 1) return false;
  return data.every((value, i) => value === (i % (columns! + 1) === 0 ? 1 : 0));
}
