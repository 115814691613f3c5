/**
 * A model family: how it is trained, what a model of it says of a row, and how it is written down. Nothing outside a
 * family's folder knows what its configurations and its models look like.
 *
 * The order of calls. `open` comes first, once for a run; what it compiles serves all splits, and `dispose` frees it, also
 * after an error. Then, for each split, `split`, and the methods of the family's list in their order on what it gave; then
 * `transfer` and `fit` for each configuration that a method found. Calls do not overlap. `scores`, `toOnnx`, `encode`,
 * `decode`, `called`, `describe` and `explain` need no open run: they are pure functions of a model, which may come from a
 * file.
 *
 * What is deterministic. The same rows, options and number of threads give the same configurations and the same models, to
 * the last bit; random numbers come from keys made of the seed and a name. Time decides only when a search stops.
 *
 * What must be aborted and freed. A method looks at the signal between its fits or steps and then returns what it has, or
 * `undefined`; a single fit is not interrupted. Programs, sessions and threads belong to the opened family.
 */
import type { Encoder, Target, Task } from "../../data/index.ts";
import type { Explanation } from "./explanation.ts";
import type { Method } from "./method.ts";
import type { OnnxRows } from "./onnx-rows.ts";
import type { EncodedRows, EncodingPlan, SplitPlan } from "./rows.ts";
import type { TuneAdvice, UsedRule } from "./search-record.ts";

/**
 * A family.
 *
 * `Config` is what its methods choose, plain data that JSON holds. `Model` is a fitted model, plain data too, for threads
 * copy it. `Opened` is a split ready for its methods, which only the family looks into.
 */
export interface ModelFamily<Config = unknown, Model = unknown, Opened = unknown> {
  /** In model files; no two families of a registry share it. */
  readonly name: string;
  readonly tasks: readonly Task[];
  /** The ways to choose a configuration, in the order in which they run; the first one always runs to its end. */
  readonly methods: readonly Method<Config, Opened>[];
  /** A configuration that a checkpoint holds; undefined when it is none of this family for this encoder. */
  checkConfig(value: unknown, encoder: Encoder): Config | undefined;
  /** Why `name` cannot be the rule of its searches, without a full stop; `undefined` when it can. Absent without searches. */
  refuseRule?(name: string): string | undefined;
  /** Compiles what all splits of a run share; see the order of calls above. */
  open(run: FamilyRun): Promise<OpenFamily<Config, Model, Opened>>;
  /**
   * Scores, [rows, outputs]. For classes they are what softmax or, with one output, the logistic function turns into probabilities;
   * for regression they are in units of the standardized target.
   *
   * @param x - encoded rows, [rows, encoder.width].
   */
  scores(model: Model, x: Float32Array | Float64Array, rows: number): Float64Array;
  /** Writes {@link ModelFamily.scores} into a graph, in float64. @returns the name of the value [rows, outputs]. */
  toOnnx(model: Model, rows: OnnxRows): string;
  /** The model's members of model.json; their names are none of version, family, target and encoder. */
  encode(model: Model): Readonly<Record<string, unknown>>;
  /**
   * The model from members of {@link ModelFamily.encode}, every number exact.
   *
   * @param source - what the message calls the file.
   * @throws DamagedFileError when they are no model of this family for this encoder and target.
   */
  decode(
    members: Readonly<Record<string, unknown>>,
    shape: Pick<EncodingPlan, "encoder" | "target">,
    source: string,
  ): Model;
  /** What a model is called, lower case: "logistic regression". */
  called(task: Task): string;
  /** Which configuration it is, in words after "The model: ", and its numbers for result.json. */
  describe(
    config: Config,
    choice: { readonly method: string; readonly share: number; readonly inputs: number },
  ): { readonly words: string; readonly numbers: Readonly<Record<string, number>> };
  /** What each input column is worth to the model. */
  explain?(model: Model, config: Config, shape: { encoder: Encoder; target: Target }): Explanation;
}

/** What a family is opened with. */
export interface FamilyRun {
  /** The run's splits; all have the same task and number of folds. */
  readonly splits: readonly SplitPlan[];
  /** Rows of the table, encoded. */
  readonly encode: (plan: EncodingPlan, rows: Int32Array) => EncodedRows;
  readonly options: {
    /** Outer steps of a search, at most. */
    readonly steps: number;
    readonly rule?: string;
    readonly device?: "cpu" | "webgpu" | "cuda";
    readonly threads?: number;
  };
  /** What the adviser said when the run began, for a run that goes on. */
  readonly advice?: TuneAdvice;
}

/** A family during a run. */
export interface OpenFamily<Config = unknown, Model = unknown, Opened = unknown> {
  /** What the adviser said of the rule, where it was asked. */
  readonly advice?: TuneAdvice;
  /** Makes a split ready for the methods. */
  split(repeat: number): Promise<Opened>;
  /** The rule that searches would use, of a run that was stopped before its first search. Absent without searches. */
  unusedRule?(repeat: number): Promise<UsedRule>;
  /**
   * The configuration for other rows and another encoder: what was chosen for folds becomes right for all rows.
   *
   * @param from - the encoder that it was chosen with, and the rows that a fold trained on.
   */
  transfer(config: Config, from: FitSize, to: FitSize): Config;
  /** Trains one model on all the rows. */
  fit(plan: EncodingPlan, rows: Int32Array, config: Config): Promise<Fitted<Model>>;
  /** Frees what was opened; nothing may run any more. */
  dispose(): Promise<void>;
}

/** What a configuration depends on besides the rows' contents. */
export interface FitSize {
  readonly encoder: Encoder;
  readonly rows: number;
}

/** A trained model. */
export interface Fitted<Model> {
  readonly model: Model;
  /** In words, when training ended before its minimum. */
  readonly unsolved?: string;
}
