/**
 * Who judges which row. With folds, follower f trains on all folds but f and is judged on f. With a single validation part,
 * two followers train on the other rows, and each is judged on half of the part. The followers belong to two sets of
 * coefficients, each tuned on its own followers' held-out rows: the other set's rows then tell what tuning is worth on
 * rows that it has not seen.
 */
import type { RandomStream } from "../../data/index.ts";

/** See `SplitPlan`. */
export interface Folds {
  judge: Int32Array;
  sets: Int32Array;
  trains: Uint8Array[];
}

/**
 * Deals the rows of each stratum at random, so that the parts differ by at most one row in size and in each class.
 *
 * @param options.strata - [rows], the class of each row.
 * @param options.folds - at least 2; or `validation`, [rows], 1 for the rows that judge.
 */
export function assignFolds(
  options: { strata: Int32Array; stream: RandomStream } & (
    { folds: number; validation?: never } | { validation: Uint8Array; folds?: never }
  ),
): Folds {
  const { strata, stream, folds, validation } = options;
  const count = strata.length;
  const judging = Array.from({ length: count }, (_, i) => i).filter(
    (i) => validation === undefined || validation[i] === 1,
  );
  const followers = folds ?? 2;
  const judge = new Int32Array(count).fill(-1);
  stream.shuffle(judging);
  judging.sort((a, b) => strata[a]! - strata[b]!);
  judging.forEach((i, place) => (judge[i] = place % followers));
  const trains = Array.from({ length: followers }, (_, f) =>
    Uint8Array.from(judge, (own) => Number(folds === undefined ? own < 0 : own !== f)),
  );
  // Of five followers, three and two.
  const sets = Int32Array.from({ length: followers }, (_, f) => Number(2 * f >= followers));
  return { judge, sets, trains };
}
