// The files that runs leave in their output folders, by name and by what they begin with: what --force sets aside, and nothing
// else. A name alone is nobody's: other programs write a result.json too.

import type { RunFiles } from "../../files/index.ts";
import { eventLogName } from "../event-log.ts";
import { settingsName } from "./settings-file.ts";

/** Each file of a run, with a piece of its beginning that no other program writes. */
const beginnings: Readonly<Record<string, RegExp>> = {
  // every run; a kill may have torn its first line off anywhere
  [eventLogName]: /^(\{("(a(t("(:\d.*)?)?)?)?)?)?$/s,
  [settingsName]:
    /^\{\s*("checked": "[^"\n]*",\s*)?"(command": "stackelberg |data": [^\n]*\n\s*"split": )/,
  // tune, and clean
  "model.onnx": /^.{4}stackelberg/s,
  "model.json": /^\{\s*("checked": "[^"\n]*",\s*)?"format": "stackelberg tabular model"/,
  "ranked.csv": /^row,label,suggested,score,probability,influence/,
  "report.html":
    /^<!doctype html>.*<meta http-equiv="Content-Security-Policy".*(tuning report|doubtful labels)<\/title>/is,
  "result.json":
    /^\{\n "(version": 1,\n "status": "(completed|budget|cancelled)"|source": [^\n]*\n "target": [^\n]*\n "classes": )/,
  "checkpoint.json": /^\{\s*("checked": "[^"\n]*",\s*)?"version":1,"data":\{"path":/,
  // fewshot train
  "checkpoint.safetensors": /^.{8}\{.*"stackelberg-solve\/\d+"/s,
  "log.jsonl": /^\{"step":\d+,"episodes":\d+,"loss":/,
  "model.safetensors": /^.{8}\{.*"stackelberg-fewshot\/\d+"/s,
  "representation.onnx": /^.{4}stackelberg/s,
};

/** Of `fewshot eval`, about the model beside it. */
const testName = /^model-test-seed\d+\.json$/;
const testBeginning = /^\{\s*("checked": "[^"\n]*",\s*)?"version": 1,\s*"model": \{\s*"settings": /;

/**
 * What belongs to a run. Every command writes its seal last.
 *
 * @param beside - more names that the run writes, such as the demonstration's table, with what they begin with.
 */
export function runFiles(beside: Readonly<Record<string, RegExp>> = {}): RunFiles {
  const beginningOf = (name: string): RegExp | undefined => {
    if (testName.test(name)) return testBeginning;
    const all = { ...beginnings, ...beside };
    return Object.hasOwn(all, name) ? all[name] : undefined;
  };
  return {
    isOwn: (name) => beginningOf(name) !== undefined,
    recognizes: (name, beginning) => beginningOf(name)!.test(beginning),
    seals: ["result.json", "model.safetensors"],
  };
}
