/** When checkpoints are written, where to, and what happens when that fails: the loop goes on and says so. */
import { writeCheckpointFile } from "./checkpoint-file.ts";
import { encodeCheckpoint, type Identity, type SolveState } from "./checkpoint.ts";
import type { CheckpointOptions } from "./options.ts";

/** Writes the checkpoints of one run. */
export class CheckpointWriter {
  /** Known once the programs are compiled; nothing is written before. */
  identity: Identity | undefined;
  readonly #options: CheckpointOptions | undefined;
  /** The last step of the checkpoint written last. */
  #savedStep: number | undefined;
  #failures = 0;
  #lastFailure = "";

  constructor(options: CheckpointOptions | undefined) {
    this.#options = options;
  }

  /** Whether a checkpoint is due after a step. */
  isDue(step: number): boolean {
    return this.#options !== undefined && (step + 1) % (this.#options.everySteps ?? 10) === 0;
  }

  /** Writes the state, unless it is the one written last or no checkpoints are wanted. */
  async save(state: SolveState): Promise<void> {
    const step = state.history.length - 1;
    if (!this.#options || !this.identity || this.#savedStep === step) return;
    const bytes = encodeCheckpoint(state, this.identity);
    const { path, save } = this.#options;
    try {
      await (save ? save(bytes) : writeCheckpointFile(path!, bytes));
      this.#savedStep = step;
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.#lastFailure = error instanceof Error ? error.message : String(error);
    }
  }

  /** A sentence when the newest checkpoint could not be written. */
  get warnings(): readonly string[] {
    if (this.#failures === 0) return [];
    const times = this.#failures === 1 ? "" : ` ${this.#failures} times in a row`;
    const step = this.#savedStep;
    const kept =
      step === undefined ? "none has been written" : `the last one is that of step ${step}`;
    return [`The checkpoint could not be written${times}; ${kept}: ${this.#lastFailure}`];
  }
}
