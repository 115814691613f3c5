/** The linear family during a run: its rule, and programs that are compiled once per shape. */
import { compile, type Tensor, tensor } from "../../../program/index.ts";
import type { FamilyRun, Fitted, OpenFamily } from "../family.ts";
import { trainingRowsOf, type EncodingPlan } from "../rows.ts";
import { chooseRule, type ChosenRule } from "./choose-rule.ts";
import { transferConfig, type LinearConfig } from "./config.ts";
import { toDesign, trainingShares } from "./design.ts";
import { evaluationLimit, fitPrograms, fitTolerance, type Fit } from "./fit.ts";
import { formulate } from "./formulation.ts";
import { modelOf, type LinearModel } from "./model.ts";
import type { OpenSplit } from "./open-split.ts";
import { curvatureOf, isDense } from "./problem.ts";
import { searchData } from "./search-data.ts";
import { usedRule } from "../used-rule.ts";

/** What searches need besides a split. */
export interface LinearRun {
  readonly rule: ChosenRule;
  readonly options: FamilyRun["options"];
  /** The compiled `curvatureOf` of the search. */
  readonly curvature: (x: Tensor, share: Tensor) => Promise<Tensor>;
}

/** A split with what its methods need besides. */
export interface LinearSplit extends OpenSplit {
  readonly run: LinearRun;
}

/** Opens the family; programs are compiled when a split first needs them. All splits get one shape. */
export async function openLinear(
  run: FamilyRun,
): Promise<OpenFamily<LinearConfig, LinearModel, LinearSplit>> {
  const { splits, options } = run;
  const { task } = splits[0]!.target;
  const rule = await chooseRule(run);
  const { threads } = options;
  const followers = splits[0]!.trains.length;
  const width = Math.max(...splits.map(({ encoder }) => encoder.width));
  const inputs = Math.max(...splits.map(({ encoder }) => encoder.inputs.length));
  const curvature = compile(curvatureOf(task, isDense(width, followers)), {
    device: options.device ?? "cpu",
    threads,
  });
  const programs = fitPrograms(task, { threads });
  const split = async (repeat: number): Promise<LinearSplit> => {
    const plan = splits[repeat]!;
    const { x, y } = toDesign(run.encode(plan, plan.rows), plan, width);
    const share = tensor(trainingShares(plan), { shape: [followers, 1, plan.rows.length] });
    const fitter = await programs.open({ x, y, share, group: plan.encoder.group });
    const trainingRows = trainingRowsOf(plan);
    return { plan, inputs, x, y, trainingRows, fitter, run: { rule, options, curvature } };
  };
  return {
    advice: rule.advice,
    split,
    unusedRule: async (repeat) => {
      const data = await searchData(await split(repeat), curvature, 0);
      return usedRule(rule, formulate(task, rule, data), undefined, {
        innerGradients: 0,
        hessianVectorProducts: 0,
        crossProducts: 0,
        storedFloats: 0,
        reportGradients: 0,
      });
    },
    transfer: transferConfig,
    fit: async (plan, rows, config) => {
      const { x, y } = toDesign(run.encode(plan, rows), plan, plan.encoder.width);
      const count = rows.length;
      const share = tensor(new Float64Array(count).fill(1 / count), { shape: [1, 1, count] });
      const fitter = await programs.open({ x, y, share, group: plan.encoder.group });
      return fitted(plan, await fitter.fit(config.logCoefficient));
    },
    dispose: async () => {
      await Promise.all([curvature.dispose(), programs.dispose()]);
    },
  };
}

function fitted({ encoder }: EncodingPlan, fit: Fit): Fitted<LinearModel> {
  return { model: modelOf(encoder.width, fit.weights), ...unsolvedOf(fit) };
}

/** Says that a fit is not the minimum. */
export function unsolvedOf({ isSolved, relativeGradient }: Fit): { unsolved?: string } {
  if (isSolved) return {};
  return {
    unsolved: `a fit ended before its minimum, at its limit of ${evaluationLimit} evaluations or of what rounding allows; its gradient's norm is ${relativeGradient.toExponential(1)} of that at zero weights (${fitTolerance} is asked). Columns that nearly repeat others, or classes that hardly any penalty keeps apart, do this; remove such columns.`,
  };
}
