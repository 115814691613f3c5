/** The matrices of a split's search, float32, from those of its fits. */
import { type Tensor, tensor } from "../../../program/index.ts";
import type { OpenSplit } from "./open-split.ts";
import type { JudgedRows, TrainingData } from "./problem.ts";
import { groupsOf, judgingShares, trainingShares } from "./design.ts";

/** What both levels of a split's search are about. */
export interface SearchData {
  training: TrainingData<Tensor>;
  judged: JudgedRows<Tensor>;
}

/**
 * @param curvature - the compiled `curvatureOf`.
 * @param prior - ρ of the prior.
 */
export async function searchData(
  { plan, inputs, x, y }: OpenSplit,
  curvature: (x: Tensor, share: Tensor) => Promise<Tensor>,
  prior: number,
): Promise<SearchData> {
  const single = (source: Tensor): Tensor =>
    tensor(source, { dtype: "float32", shape: [...source.shape] });
  const rows = { x: single(x), y: single(y) };
  const followers = plan.trains.length;
  const shape = [followers, 1, x.shape[0]!];
  const share = (values: Float64Array): Tensor => tensor(Float32Array.from(values), { shape });
  const own = share(trainingShares(plan));
  const setCount = Math.max(...plan.sets) + 1;
  const sets = new Float32Array(followers * setCount);
  plan.sets.forEach((set, f) => (sets[f * setCount + set] = 1));
  const present = new Float32Array(inputs).fill(1, 0, plan.encoder.inputs.length);
  return {
    training: {
      ...rows,
      share: own,
      groups: groupsOf(plan.encoder, inputs, x.shape[1]! - 1),
      sets: tensor(sets, { shape: [followers, setCount] }),
      curvature: await curvature(rows.x, own),
    },
    judged: {
      ...rows,
      share: share(judgingShares(plan)),
      present: tensor(present, { shape: [1, inputs] }),
      prior: tensor(Float32Array.of(prior)),
    },
  };
}
