/** Dead code: operations, stacked loop outputs and loop carries that nothing observable depends on. */
import type { Block, Operation, Scan, Value, While } from "../ir.ts";

export function prune(block: Block): Block {
  const live = new Set<Value>(block.results);
  return { ...block, operations: pruneOperations(block.operations, live) };
}

/** Keeps what `live` needs, adding to it what the kept operations read. */
function pruneOperations(operations: readonly Operation[], live: Set<Value>): Operation[] {
  const kept: Operation[] = [];
  for (const operation of operations.toReversed()) {
    if (!operation.outputs.some((output) => live.has(output))) continue;
    const pruned =
      operation.kind === "scan"
        ? pruneScan(operation, live)
        : operation.kind === "while"
          ? pruneBody(operation, live)
          : operation;
    pruned.inputs.forEach((input) => live.add(input));
    kept.push(pruned);
  }
  return kept.reverse();
}

function pruneBody(loop: While, live: Set<Value>): While {
  const inside = new Set(loop.body.results);
  const operations = pruneOperations(loop.body.operations, inside);
  for (const value of inside) live.add(value);
  return { ...loop, body: { ...loop.body, operations } };
}

function pruneScan(scan: Scan, live: Set<Value>): Scan {
  const { body, carries } = scan;
  // A carry lives when its last value is used or when a living result depends on its parameter.
  const keep = scan.outputs.map((output) => live.has(output));
  let operations: Operation[];
  let inside: Set<Value>;
  for (;;) {
    inside = new Set(body.results.filter((_, i) => keep[i]));
    operations = pruneOperations(body.operations, inside);
    const woken = body.parameters.findIndex((p, i) => i < carries && !keep[i] && inside.has(p));
    if (woken < 0) break;
    keep[woken] = true;
  }
  for (const value of inside) live.add(value);
  const used = body.parameters.map((p, i) => (i < carries ? keep[i]! : inside.has(p)));
  // ONNX's Scan needs at least one scanned input to know its length.
  if (!used.some((isUsed, i) => i >= carries && isUsed)) used[used.length - 1] = true;
  const kept = <T>(items: readonly T[], flags: readonly boolean[]): T[] =>
    items.filter((_, i) => flags[i]);
  return {
    ...scan,
    carries: keep.slice(0, carries).filter(Boolean).length,
    inputs: kept(scan.inputs, used),
    outputs: kept(scan.outputs, keep),
    body: {
      parameters: kept(body.parameters, used),
      operations,
      results: kept(body.results, keep),
    },
  };
}
