/** The trainings of docs/results/omniglot.md: what each is called, its options, its time and its tests. */

/** Classes and labelled images a class of an episode. */
export interface Shape {
  readonly ways: number;
  readonly shots: number;
}

/** One training and how it is tested. */
export interface FewshotRun {
  /** The learner, the episodes of its training, and what else tells it from others. */
  readonly name: string;
  /** Of `fewshot train`. */
  readonly options: readonly string[];
  /** Of one core. */
  readonly minutes: number;
  /** The run from whose best model it starts. */
  readonly from?: string;
  readonly tests: readonly Shape[];
  /** Of `fewshot eval`. */
  readonly testOptions: readonly string[];
}

const [five, fiveShots, twenty, twentyFiveShots]: readonly Shape[] = [
  { ways: 5, shots: 1 },
  { ways: 5, shots: 5 },
  { ways: 20, shots: 1 },
  { ways: 20, shots: 5 },
] as const;

const both = [five!, fiveShots!];

/** In the order of their importance. */
export const runs: readonly FewshotRun[] = [
  run("hyper-representation", twenty!, 25, { tests: [twenty!, ...both] }),
  run("hyper-representation", twenty!, 8, {
    slowlyFrom: 0.0002,
    tests: [twenty!, ...both, twentyFiveShots!],
  }),
  run("hyper-representation", twenty!, 16, { seed: 1, tests: [twenty!, ...both] }),
  run("hyper-representation", twenty!, 16, { seed: 2, tests: [twenty!, ...both] }),
  run("hyper-representation", five!, 10),
  run("prototypical", twenty!, 15, { tests: [twenty!, ...both] }),
  run("prototypical", twentyFiveShots!, 6, { tests: [twentyFiveShots!, fiveShots!] }),
  run("maml", five!, 25, { tests: [] }),
  run("maml", five!, 20, { slowlyFrom: 0.0006, tests: both }),
  run("maml", twenty!, 25, { tests: [], options: ["--tasks", "1"] }),
  run("maml", twenty!, 20, { slowlyFrom: 0.0006, options: ["--tasks", "1"] }),
  run("first-order-maml", five!, 8, { tests: [] }),
  run("first-order-maml", five!, 6, { slowlyFrom: 0.0006, tests: both }),
  run("anil", five!, 8, { tests: [], options: ["--rate", "0.003"] }),
  run("anil", five!, 8, { slowlyFrom: 0.0006, tests: both }),
  run("imaml", five!, 12, { tests: [] }),
  run("imaml", five!, 8, { slowlyFrom: 0.0006, tests: both }),
  run("reptile", five!, 12, { tests: [], options: ["--tasks", "2"] }),
  run("reptile", five!, 8, { slowlyFrom: 0.1, tests: both, options: ["--tasks", "2"] }),
  run("matching", twenty!, 8, { tests: [twenty!, ...both] }),
  run("joint", five!, 8, { tests: both }),
];

function run(
  learner: string,
  shape: Shape,
  minutes: number,
  more: {
    /** Default: on episodes as in training. */
    readonly tests?: readonly Shape[];
    readonly options?: readonly string[];
    /** The leader's rate, smaller than in the run without this, from whose best model it starts. */
    readonly slowlyFrom?: number;
    /** Of the first weights and the training episodes. Default 0. */
    readonly seed?: number;
  } = {},
): FewshotRun {
  const { ways, shots } = shape;
  const { tests = [shape], options = [], slowlyFrom, seed = 0 } = more;
  const name = `${learner}-${ways}way-${shots}shot${seed === 0 ? "" : `-seed${seed}`}`;
  const adaptsAll = ["maml", "first-order-maml", "imaml", "reptile"].includes(learner);
  // 40 images are 2 episodes of 20 ways or 4 and more of 5.
  const tasks = ways === 20 ? ["--tasks", "2", "--queries", "5"] : [];
  const validations = adaptsAll
    ? ["--every", "200", "--validation-episodes", ways === 20 ? "40" : "100"]
    : ["--every", "400", "--validation-episodes", ways === 20 ? "60" : "200"];
  return {
    name: slowlyFrom === undefined ? name : `${name}-slow`,
    options: [
      ...["--learner", learner, "--ways", String(ways), "--shots", String(shots)],
      ...tasks,
      ...validations,
      ...["--steps", "100000", "--seed", String(seed)],
      ...(slowlyFrom === undefined ? [] : ["--rate", String(slowlyFrom)]),
      ...options,
    ],
    minutes,
    ...(slowlyFrom === undefined ? {} : { from: name }),
    tests,
    testOptions: adaptsAll ? ["--inner-steps", learner === "imaml" ? "5,10,16" : "1,3,5"] : [],
  };
}
