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

const ofFive = { also: [fiveShots!] };

/** In the order of their importance. */
export const runs: readonly FewshotRun[] = [
  run("hyper-representation", twenty!, 25, { also: [five!, fiveShots!] }),
  run("hyper-representation", twenty!, 8, {
    also: [five!, fiveShots!, twentyFiveShots!],
    slowlyFrom: true,
  }),
  run("hyper-representation", five!, 10),
  run("prototypical", twenty!, 15, { also: [five!, fiveShots!] }),
  run("prototypical", twentyFiveShots!, 6, { also: [fiveShots!] }),
  run("maml", five!, 45, ofFive),
  run("maml", twenty!, 45, { options: ["--tasks", "1"] }),
  run("first-order-maml", five!, 20, ofFive),
  run("anil", five!, 15, ofFive),
  run("imaml", five!, 25, ofFive),
  run("reptile", five!, 25, { ...ofFive, options: ["--tasks", "2"] }),
  run("matching", twenty!, 12, { also: [five!, fiveShots!] }),
  run("joint", five!, 15, ofFive),
];

function run(
  learner: string,
  shape: Shape,
  minutes: number,
  more: {
    /** Other episodes to test on. */
    readonly also?: readonly Shape[];
    readonly options?: readonly string[];
    /** From the run without this, at a fifth of its rate. */
    readonly slowlyFrom?: boolean;
  } = {},
): FewshotRun {
  const { ways, shots } = shape;
  const { also = [], options = [], slowlyFrom = false } = more;
  const name = `${learner}-${ways}way-${shots}shot`;
  const adaptsAll = ["maml", "first-order-maml", "imaml", "reptile"].includes(learner);
  // 40 images are 2 episodes of 20 ways or 4 and more of 5.
  const tasks = ways === 20 ? ["--tasks", "2", "--queries", "5"] : [];
  const validations = adaptsAll
    ? ["--every", "200", "--validation-episodes", ways === 20 ? "40" : "100"]
    : ["--every", "400", "--validation-episodes", ways === 20 ? "60" : "200"];
  return {
    name: slowlyFrom ? `${name}-slow` : name,
    options: [
      ...["--learner", learner, "--ways", String(ways), "--shots", String(shots)],
      ...tasks,
      ...validations,
      ...(learner === "hyper-representation" ? ["--learn-inner-rate", "no"] : []),
      ...["--steps", "100000"],
      ...(slowlyFrom ? ["--rate", "0.0002"] : []),
      ...options,
    ],
    minutes,
    ...(slowlyFrom && { from: name }),
    tests: [shape, ...also],
    testOptions: adaptsAll ? ["--inner-steps", learner === "imaml" ? "5,10,16" : "1,3,5"] : [],
  };
}
