/** Which rule a run uses: the one that was asked for, or the one that the adviser ranks first on this table. */
import { numpy as np } from "@jax-js/jax";
import { type Advice, advise, type Problem } from "../../../bilevel/index.ts";
import { DataError } from "../../../data/index.ts";
import { compile, tensor, zeros } from "../../../program/index.ts";
import { innerStepsFor } from "./inner-steps.ts";
import {
  curvatureOf,
  isDense,
  tabularDynamics,
  tabularProblem,
  type Coefficients,
  type Weights,
} from "./problem.ts";
import { tuneRules, type TuneRule } from "./rules.ts";
import { groupsOf, toDesign } from "./design.ts";
import type { FamilyRun } from "../family.ts";
import { curvatureBounds } from "./losses.ts";
import { outputsOf } from "../rows.ts";
import { autoRule, defaultRule, type TuneAdvice } from "../search-record.ts";

/** The rule of a run. */
export interface ChosenRule extends TuneRule {
  /** In the catalog. */
  readonly name: string;
  readonly advice?: TuneAdvice;
}

/**
 * The rule that `options.rule` names; for "auto" the first one in the adviser's ranking that applies, or the default when
 * it ranks none. A resumed run keeps the adviser's first answer.
 */
export async function chooseRule(run: FamilyRun): Promise<ChosenRule> {
  const { rule: name = defaultRule } = run.options;
  if (name !== autoRule) return { name, ...tuneRules[name]! };
  const answer = await adviseOn(run);
  const { ranking } = answer;
  const saved = run.advice;
  const best = saved ? ranking.find(({ call }) => call === saved.call) : ranking[0];
  if (best === undefined) {
    if (saved && saved.call !== defaultRule) {
      throw new DataError(
        `resume: the interrupted run used ${saved.call} on the adviser's word, which it does not give again; resume with the same version and number of threads, or start a new run with a rule of your choice.`,
      );
    }
    return {
      name: defaultRule,
      ...tuneRules[defaultRule]!,
      advice: saved ?? recordOf(answer, defaultRule),
    };
  }
  const { factory, call, rule } = best;
  const known = tuneRules[factory]!;
  return {
    name: factory,
    coordinates: known.coordinates,
    // The adviser's own instance is made for the problem's coordinates and dynamics.
    make: known.coordinates === "own" ? () => ({ call, rule }) : known.make,
    advice: saved ?? recordOf(answer, call),
  };
}

/** The adviser's answer, with the rules that apply in its ranking. */
interface Answer extends Advice {
  /** Training rows that were measured, of how many. */
  readonly rows: number;
  readonly ofRows: number;
}

/**
 * The adviser's answer at coefficients of 1, for the first follower of a split whose encoding needs no padding, for padded
 * columns are flat directions. Of a large table some training rows stand for all. At much smaller coefficients the parabola
 * of {@link withoutShift} would be steeper than the preconditioner allows.
 */
async function adviseOn({ splits, encode, options }: FamilyRun): Promise<Answer> {
  const width = Math.max(...splits.map(({ encoder }) => encoder.width));
  const plan = splits.find(({ encoder }) => encoder.width === width)!;
  const inputs = plan.encoder.inputs.length;
  const { task } = plan.target;
  const outputs = outputsOf(plan.target);
  const dense = isDense(width, plan.trains.length);
  const all = plan.rows.filter((_, i) => plan.trains[0]![i] === 1);
  const some = spreadRows(all, (width + 1) * outputs);
  const held = plan.rows.filter((_, i) => plan.judge[i] === 0);
  const [inner, outer] = [some, held].map((rows) => {
    const { x, y } = toDesign(encode(plan, rows), plan, width);
    const share = tensor(new Float32Array(rows.length).fill(1 / rows.length), {
      shape: [1, 1, rows.length],
    });
    return { x: tensor(x, { dtype: "float32" }), y: tensor(y, { dtype: "float32" }), share };
  });
  const session = {
    device: options.device ?? "cpu",
    threads: options.threads,
  } as const;
  const curvature = compile(curvatureOf(task, dense), session);
  try {
    const shared = {
      groups: groupsOf(plan.encoder, inputs, width),
      sets: tensor([[1]]),
      curvature: await curvature(inner!.x, inner!.share),
    };
    const ones = new Float32Array(inputs);
    const prior = { present: tensor(ones.fill(1), { shape: [1, inputs] }), prior: tensor([0]) };
    const advice = await advise(
      withoutShift(tabularProblem(task), curvatureBounds[task], outputs),
      {
        ...session,
        lambda: { logCoefficient: zeros([1, inputs]) },
        w: { weights: zeros([1, outputs, width + 1]) },
        data: { inner: { ...inner!, ...shared }, outer: { ...outer!, ...prior } },
        steps: innerStepsFor(
          task,
          [plan.rows.length, width + 1],
          outputs * plan.trains.length,
          dense,
        ),
        dynamics: tabularDynamics(dense),
      },
    );
    const ranking = advice.ranking.filter(({ factory }) => Object.hasOwn(tuneRules, factory));
    return { ...advice, ranking, rows: some.length, ofRows: all.length };
  } finally {
    await curvature.dispose();
  }
}

/**
 * Rows evenly spread over all, as many as make 5e5 numbers, which are measured in a few seconds, and at least 200.
 *
 * @param numbers - in a row: columns times outputs.
 */
export function spreadRows(rows: Int32Array, numbers: number): Int32Array {
  const count = Math.min(rows.length, Math.max(200, Math.floor(5e5 / numbers)));
  return Int32Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]!);
}

/**
 * The softmax does not change when all biases move together: a flat direction that no search notices, for it starts and
 * stays at 0 along it. A parabola there, as steep as the curvature bound, hides it from the adviser.
 */
function withoutShift(problem: Problem, bound: number, outputs: number): Problem {
  if (outputs === 1) return problem;
  return {
    ...problem,
    inner: (w: Weights, lambda: Coefficients, data: unknown) => {
      const biases = w.weights.slice([], [], -1);
      return problem
        .inner(w, lambda, data)
        .add(np.square(np.mean(biases)).mul((bound * outputs) / 2));
    },
  };
}

function recordOf({ ranking, ruledOut, sentence, rows, ofRows }: Answer, call: string): TuneAdvice {
  return {
    sentence,
    call,
    rows,
    ofRows,
    runnersUp: ranking
      .filter((one) => one.call !== call)
      .map(({ call, why, caution }) => ({ call, why, caution })),
    ruledOut: ruledOut.map(({ factory, why }) => ({ rule: factory, why })),
  };
}
