// What `tune` leaves behind: the files of the output folder and the table on the screen.

import {
  encodeTabularModel,
  exportModel,
  onnxInputs,
  type TuneResult,
} from "../../automl/index.ts";
import { type NewFile, sealJson, sha256 } from "../../files/index.ts";
import { leakLines } from "../input/announcement.ts";
import { checkpointName, encodeSavedRun, type SavedRun } from "./saved-run.ts";
import { chosenSentences } from "./chosen-text.ts";
import { compareMethods, onCommonSplits } from "../../automl/internal.ts";
import { oneLine } from "../command/errors.ts";
import { formatCount, formatSeconds } from "../../data/internal.ts";
import { reportPage, type ReportContext } from "./page.ts";
import { adviceSentence, alternatives, ruleSentences } from "./rule-text.ts";
import { methodTable } from "./method-table.ts";
import { wrapWords } from "../terminal/text.ts";

/** The files of a run, the most important first. */
export function outputFiles(
  result: TuneResult,
  context: ReportContext,
  saved: SavedRun | undefined,
): NewFile[] {
  const onnx = exportModel(result.model);
  const files: NewFile[] = [
    { name: "model.onnx", contents: onnx },
    {
      name: "model.json",
      contents: sealJson(JSON.stringify(modelDocument(result, sha256(onnx)), null, 1)),
    },
    { name: "report.html", contents: reportPage(result, context) },
    {
      name: "result.json",
      contents: `${JSON.stringify(resultDocument(result, context), null, 1)}\n`,
    },
  ];
  if (saved !== undefined) files.push({ name: checkpointName, contents: encodeSavedRun(saved) });
  return files;
}

/** One JSON object on one line for `--json`: result.json with the places of the files. */
export function resultJson(
  result: TuneResult,
  context: ReportContext,
  folder: string,
  names: readonly string[],
): string {
  return JSON.stringify({ ...resultDocument(result, context), folder, files: names });
}

/** Prints the table of methods, the verdict, the rule and where the files are. */
export function printResult(
  whole: TuneResult,
  context: ReportContext,
  folder: string,
  names: readonly string[],
): void {
  const result = onCommonSplits(whole);
  const { stdout } = process;
  const terminal = stdout.isTTY;
  const color =
    terminal && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
  const width = terminal ? stdout.columns : Infinity;
  const say = (text: string): string[] => wrapWords(oneLine(text), width);
  const comparison = compareMethods(result);
  const heading = [
    `${result.source}: ${result.task} of "${result.target.name}"`,
    formatCount(result.rows.total, "row"),
    formatCount(result.inputs.length, "input column"),
    formatCount(result.completedRepeats, "split"),
    formatSeconds(result.seconds),
  ];
  const lines = ["", ...say(heading.join(", ")), ""];
  if (result.methods.length > 0) {
    lines.push(...methodTable(result, comparison, { width, color }));
    if (comparison.metrics.some(({ best }) => best !== undefined)) {
      lines.push(...say("* better than each of the others beyond the 95 % paired interval"));
    }
    lines.push("");
  }
  const texts = [
    ...chosenSentences(whole),
    ...comparison.verdict,
    result.report.sentence,
    ...ruleSentences(result),
  ];
  lines.push(...texts.flatMap(say));
  lines.push(...leakLines(context.data, context.without, say));
  const advice = result.rule?.advice;
  if (advice !== undefined) {
    const others = alternatives(advice);
    lines.push("", ...say(adviceSentence(advice)));
    if (others.length > 0) lines.push("The others, best first:", ...others.flatMap(say));
  }
  lines.push("", `Files in ${folder}:`);
  lines.push(...names.map((name) => `  ${name.padEnd(16)} ${fileMeanings[name] ?? ""}`.trimEnd()));
  stdout.write(`${lines.join("\n")}\n`);
}

const fileMeanings: Record<string, string> = {
  "model.onnx": "the model; takes the raw columns, runs in any ONNX runtime",
  "model.json": "the same model and its inputs, readable",
  "report.html": "the report; open it in a browser",
  "result.json": "every number of the run",
  [checkpointName]: "the state of the run, for --resume",
  "settings.json": "what was asked for",
  "events.jsonl": "what happened, an event a line",
  "demo.csv": "the generated data",
};

function resultDocument(result: TuneResult, context: ReportContext): Record<string, unknown> {
  const { model: _, explanation: _words, inputs, chosen, ...rest } = result;
  const { numbers, ...choice } = chosen;
  const { verdict } = compareMethods(onCommonSplits(result));
  return {
    ...rest,
    inputs: inputs.map(({ numbers: own, ...input }) => ({ ...input, ...own })),
    chosen: { ...choice, ...numbers, sentence: chosenSentences(result).join(" ") },
    environment: context.environment,
    data: context.data,
    verdict,
    command: context.command,
    dataSha256: context.dataHash,
  };
}

/** model.json: the model's own data with a description of how to feed model.onnx. */
function modelDocument(result: TuneResult, onnxSha256: string): Record<string, unknown> {
  return {
    format: "stackelberg tabular model",
    about:
      "model.onnx takes the raw columns named under onnx.inputs, each of shape [rows, 1], and does all preprocessing itself; what stands below is the same model as numbers.",
    onnx: {
      sha256: onnxSha256,
      inputs: onnxInputs(result.model),
      missing: { float64: "NaN", string: "" },
      outputs:
        result.model.target.task === "regression"
          ? { prediction: "float64 [rows], in the target's unit" }
          : {
              label: "string [rows]",
              probabilities: "float32 [rows, classes], in the order of target.classes",
            },
    },
    ...encodeTabularModel(result.model),
  };
}
