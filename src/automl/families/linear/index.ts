/**
 * Linear, logistic and softmax regression with an L2 penalty: one coefficient for each input column, chosen on held-out rows
 * by hypergradients beside a single one for all.
 */
import type { Task } from "../../../data/index.ts";
import type { ModelFamily } from "../family.ts";
import { checkConfig, type LinearConfig } from "./config.ts";
import { describeLinear, explainLinear } from "./explain.ts";
import { byDefault } from "./methods/default.ts";
import { grid } from "./methods/grid.ts";
import { hypergradient } from "./methods/hypergradient.ts";
import { decodeLinear, linearScores, type LinearModel } from "./model.ts";
import { linearToOnnx } from "./onnx.ts";
import { refusalOf } from "./rules.ts";
import { openLinear, type LinearSplit } from "./run.ts";

const names: Readonly<Record<Task, string>> = {
  regression: "linear regression",
  binary: "logistic regression",
  multiclass: "softmax (multinomial logistic) regression",
};

/** The family. */
export const linear: ModelFamily<LinearConfig, LinearModel, LinearSplit> = {
  name: "linear",
  tasks: ["regression", "binary", "multiclass"],
  methods: [byDefault, grid, hypergradient],
  checkConfig,
  refuseRule: refusalOf,
  open: openLinear,
  scores: linearScores,
  toOnnx: linearToOnnx,
  encode: ({ weights, bias }) => ({ weights, bias }),
  decode: decodeLinear,
  called: (task) => names[task],
  describe: describeLinear,
  explain: explainLinear,
};
