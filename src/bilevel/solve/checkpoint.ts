/**
 * Everything an outer loop needs to go on, as one safetensors file. All numbers are stored bit for bit;
 * wall-clock times are left out, so that an interrupted and an uninterrupted run end with the same bytes.
 * Early stopping, the best step and the costs are functions of the history and need no fields of their own.
 */
import { checkArgument } from "../../program/internal.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type Tensor,
  type Tree,
} from "../../program/index.ts";
import { fromColumns, toColumns, type StepRecord } from "./history.ts";

/** The state of an outer loop after the evaluation and update of a step. */
export interface SolveState {
  readonly trees: StateTrees;
  /** One record for each evaluated step, 0 … the last. */
  readonly history: StepRecord[];
  /** The step that `bestLambda` and `bestW` belong to. */
  readonly bestStep: number;
}

/** The arrays of a {@link SolveState}. */
export interface StateTrees {
  /** λ of the last evaluated step. */
  readonly lambda: Tree<Tensor>;
  /** The follower's response to it. */
  readonly w: Tree<Tensor>;
  /** λ after the update: where the next step evaluates. */
  readonly nextLambda: Tree<Tensor>;
  /** The rule's state of the follower, the warm start of the next step. */
  readonly follower: Tree<Tensor>;
  /** The outer optimizer's state. */
  readonly optimizer: Tree<Tensor>;
  readonly bestLambda: Tree<Tensor>;
  readonly bestW: Tree<Tensor>;
}

/** What must be the same for a run to go on where another stopped: a name and a text for each part. */
export type Identity = Readonly<Record<string, string>>;

/**
 * A checkpoint that cannot be read or written, or that belongs to another run.
 *
 * `code`: "unreadable" (damaged, or no checkpoint), "mismatch" (another run's), "io" (the disk said no).
 */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly code: "unreadable" | "mismatch" | "io";

  constructor(code: CheckpointError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const format = "stackelberg-solve/1";

/** The checkpoint's bytes, a function of the state and the identity alone. */
export function encodeCheckpoint(state: SolveState, identity: Identity): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, Tensor> = {};
  const structure = nameLeaves(state.trees as unknown as Tree<Tensor>, "", tensors);
  for (const [name, column] of Object.entries(toColumns(state.history))) {
    tensors[`history/${name}`] = column;
  }
  return encodeSafetensors({
    tensors,
    metadata: {
      format,
      identity: JSON.stringify(identity),
      structure: JSON.stringify(structure),
      bestStep: String(state.bestStep),
    },
  });
}

/**
 * Reads a checkpoint.
 *
 * @throws {@link CheckpointError} "unreadable" when the bytes are not a checkpoint of this format.
 */
export function decodeCheckpoint(bytes: Uint8Array): { state: SolveState; identity: Identity } {
  checkArgument("decodeCheckpoint", "bytes", bytes, "bytes");
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    if (metadata["format"] !== format) {
      throw new Error(`its format is ${metadata["format"] ?? "not given"}, ${format} is required`);
    }
    const columns = Object.entries(tensors)
      .filter(([name]) => name.startsWith("history/"))
      .map(([name, column]) => [name.slice("history/".length), column] as const);
    const structure: unknown = JSON.parse(metadata["structure"]!);
    const trees = findLeaves(structure, tensors) as unknown as StateTrees;
    const history = fromColumns(Object.fromEntries(columns));
    const bestStep = Number(metadata["bestStep"]);
    if (history.length === 0) throw new Error("its history is empty");
    if (history[bestStep] === undefined) throw new Error("its best step is not in its history");
    const missing = stateTrees.filter((name) => !(name in trees));
    if (missing.length > 0) throw new Error(`it lacks ${missing.join(", ")}`);
    const identity = JSON.parse(metadata["identity"]!) as Identity;
    return { state: { trees, history, bestStep }, identity };
  } catch (cause) {
    throw new CheckpointError(
      "unreadable",
      `resume: a checkpoint written by solve is required, but this file cannot be read (${cause instanceof Error ? cause.message : String(cause)}); is it another file, or a damaged copy?`,
      { cause },
    );
  }
}

/**
 * Refuses a checkpoint of another run.
 *
 * @throws {@link CheckpointError} "mismatch", naming each part that differs and both its texts.
 */
export function checkIdentity(saved: Identity, current: Identity): void {
  const names = Object.keys({ ...saved, ...current });
  const differing = names.filter((name) => saved[name] !== current[name]);
  if (differing.length === 0) return;
  const parts = differing.map(
    (name) => `${name} (saved: ${saved[name] ?? "none"}; now: ${current[name] ?? "none"})`,
  );
  throw new CheckpointError(
    "mismatch",
    `resume: the checkpoint belongs to another run; it differs in ${parts.join(", ")}. Give solve the same problem, data and options (the budget and early stopping may change), or start afresh without resume.`,
  );
}

const stateTrees: (keyof StateTrees)[] = [
  "lambda",
  "w",
  "nextLambda",
  "follower",
  "optimizer",
  "bestLambda",
  "bestW",
];

/** Puts each leaf into `tensors` under its path; returns the tree with the names in the leaves' places. */
function nameLeaves(node: Tree<Tensor>, path: string, tensors: Record<string, Tensor>): unknown {
  const child = (key: string, value: Tree<Tensor>): unknown =>
    nameLeaves(value, path === "" ? key : `${path}/${escape(key)}`, tensors);
  if (Array.isArray(node)) return node.map((value, index) => child(String(index), value));
  if (Object.getPrototypeOf(node) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(node as Record<string, Tree<Tensor>>).map(([key, value]) => [
        key,
        child(key, value),
      ]),
    );
  }
  tensors[path] = node as Tensor;
  return path;
}

/** As in a JSON pointer, so that no two paths are the same. */
function escape(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function findLeaves(node: unknown, tensors: Record<string, Tensor>): Tree<Tensor> {
  if (typeof node === "string") {
    const leaf = tensors[node];
    if (leaf === undefined) throw new Error(`the tensor "${node}" is missing`);
    return leaf;
  }
  if (Array.isArray(node)) return node.map((value) => findLeaves(value, tensors));
  if (typeof node !== "object" || node === null) throw new Error("its structure is damaged");
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, findLeaves(value, tensors)]),
  );
}
