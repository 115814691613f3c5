/**
 * Loops over flat lists of values, made here once: `Program.scan` and `Program.while` wrap trees around
 * them, and primitives that are algorithms (Cholesky, LU, …) are written with them.
 */
import type { Builder } from "./builder.ts";
import type { Value } from "./ir.ts";

/** A loop's indices are written into the program, of which a file holds 2 GB: 2²⁸ of them are 1 GB. */
const MOST_STEPS = 2 ** 28;

export interface ScanBody {
  /** Must have the shapes and types of the initial carry. */
  readonly carry: readonly Value[];
  /** Stacked along a new first axis. */
  readonly ys: readonly Value[];
}

/**
 * A loop of known length: carry, y = body(carry, slices of xs, index).
 *
 * @param xs - arrays [length, …]; the body gets slice t.
 * @returns the last carry and the stacked y, [length, …], in index order.
 */
export function scan(
  builder: Builder,
  options: { readonly length: number; readonly reverse?: boolean },
  body: (carry: readonly Value[], slices: readonly Value[], index: Value) => ScanBody,
  init: readonly Value[],
  xs: readonly Value[] = [],
): { carry: readonly Value[]; ys: readonly Value[] } {
  const { length, reverse = false } = options;
  if (length > MOST_STEPS) {
    throw new RangeError(
      `${builder.origin}: a loop of ${length} steps is too long; a program holds at most ${MOST_STEPS}. Make fewer steps.`,
    );
  }
  const indices = builder.vector(Int32Array.from({ length }, (_, i) => i));
  const block = builder.block(() => {
    const carry = init.map(({ shape, dtype }) => builder.parameter(shape, dtype));
    const slices = [...xs, indices].map(({ shape, dtype }) =>
      builder.parameter(shape.slice(1), dtype),
    );
    const next = body(carry, slices.slice(0, -1), slices[slices.length - 1]!);
    return [...next.carry, ...next.ys];
  });
  const outputs = block.results.map(({ shape, dtype }, i) =>
    builder.values.create(i < init.length ? shape : [length, ...shape], dtype),
  );
  builder.operation({
    kind: "scan",
    length,
    reverse,
    carries: init.length,
    inputs: [...init, ...xs, indices],
    body: block,
    outputs,
  });
  return { carry: outputs.slice(0, init.length), ys: outputs.slice(init.length) };
}

/**
 * A loop that runs while `condition`, a boolean scalar, holds, at most `limit` times.
 *
 * @returns the last carry and the number of iterations (int32).
 */
export function whileLoop(
  builder: Builder,
  limit: number,
  condition: (carry: readonly Value[]) => Value,
  body: (carry: readonly Value[], index: Value) => readonly Value[],
  init: readonly Value[],
): { carry: readonly Value[]; steps: Value } {
  const inputs = [condition(init), ...init, builder.scalar(0, "int32")];
  const block = builder.block(() => {
    const parameters = inputs.slice(1).map(({ shape, dtype }) => builder.parameter(shape, dtype));
    const index = parameters[parameters.length - 1]!;
    const next = body(parameters.slice(0, -1), index);
    const count = builder.elementwise("add", [index, builder.scalar(1, "int32")]);
    return [condition(next), ...next, count];
  });
  const outputs = inputs.slice(1).map(({ shape, dtype }) => builder.values.create(shape, dtype));
  builder.operation({ kind: "while", limit, inputs, body: block, outputs });
  return { carry: outputs.slice(0, -1), steps: outputs[outputs.length - 1]! };
}
