/** The trainings of docs/results/omniglot.md: what each is called, its options and its time. */

/** One training and how it is tested. */
export interface FewshotRun {
  readonly name: string;
  readonly options: readonly string[];
  readonly minutes: number;
  /** The run from whose best model it starts. */
  readonly from?: string;
}

const small = ["--every", "100", "--validation-episodes", "100"];
const slow = ["--every", "50", "--validation-episodes", "50"];
const twentyWays = ["--train-ways", "20", "--tasks", "2", "--train-queries", "5"];
const wide = "--ways 20 --tasks 2 --train-queries 5 --every 100 --validation-episodes 30".split(
  " ",
);
/** For minutes of training; in hours the learned inner rate would run away. */
const fastLearners = ["hyper-representation", "anil", "joint"];
const fiveShots = ["--shots", "5"];

/** In the order of their importance. */
export const runs: readonly FewshotRun[] = [
  run("hyper-representation", "5way-1shot-20ways", 5, [...twentyWays, ...small]),
  {
    ...run("hyper-representation", "5way-1shot-20ways-slow", 5, [
      ...twentyWays,
      ...small,
      ...["--rate", "0.0005", "--seed", "1"],
    ]),
    from: "hyper-representation-5way-1shot-20ways",
  },
  run("hyper-representation", "5way-1shot", 8),
  run("hyper-representation", "5way-5shot", 4, fiveShots),
  run("prototypical", "5way-1shot", 4),
  run("prototypical", "5way-5shot", 4, fiveShots),
  run("maml", "5way-1shot", 4, small),
  run("hyper-representation", "20way-1shot", 5, wide),
  run("prototypical", "20way-1shot", 3, wide),
  run("maml", "20way-1shot", 4, wide),
  run("matching", "5way-1shot", 2, small),
  run("joint", "5way-1shot", 2, small),
  run("anil", "5way-1shot", 1.5, small),
  run("first-order-maml", "5way-1shot", 2, small),
  // Its followers see more shots in training than at test, as its authors' do.
  run("reptile", "5way-1shot", 2, [...slow, "--train-shots", "5"]),
  run("imaml", "5way-1shot", 2, slow),
  run("maml", "5way-5shot", 4, [...fiveShots, ...small]),
  run("first-order-maml", "5way-5shot", 3, [...fiveShots, ...small]),
  run("anil", "5way-5shot", 3, [...fiveShots, ...small]),
  run("imaml", "5way-5shot", 3, [...fiveShots, ...slow]),
  run("reptile", "5way-5shot", 3, [...fiveShots, ...slow]),
  run("matching", "5way-5shot", 1.5, [...fiveShots, ...small]),
  run("joint", "5way-5shot", 3, [...fiveShots, ...small]),
];

function run(
  learner: string,
  task: string,
  minutes: number,
  options: readonly string[] = [],
): FewshotRun {
  const fast = fastLearners.includes(learner) ? ["--rate", "0.003"] : [];
  return {
    name: `${learner}-${task}`,
    options: ["--learner", learner, ...fast, ...options],
    minutes,
  };
}
