// The files that runs leave in their output folders, by name: what --force sets aside, and nothing else.

import type { RunFiles } from "../../files/set-aside.ts";

const names = new Set([
  // tune, and clean
  ...["model.onnx", "model.json", "ranked.csv", "report.html", "result.json", "checkpoint.json"],
  // fewshot train
  ...["settings.json", "checkpoint.safetensors", "log.jsonl"],
  ...["model.safetensors", "representation.onnx"],
]);

/** Of `fewshot eval`, about the model beside it. */
const testName = /^model-test-seed\d+\.json$/;

/**
 * What belongs to a run. Every command writes its seal last.
 *
 * @param beside - more names that the run writes, such as the demonstration's table.
 */
export function runFiles(beside: readonly string[] = []): RunFiles {
  return {
    isOwn: (name) => names.has(name) || testName.test(name) || beside.includes(name),
    seals: ["result.json", "model.safetensors"],
  };
}
