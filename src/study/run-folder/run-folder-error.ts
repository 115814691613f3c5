/** Why a folder does not take a run. */

/** What is in the way; whoever asks people for the folder knows what they can do about it. */
export type RunFolderObstacle =
  "a file" | "not empty" | "no place" | "not writable" | "in use" | "not a run" | "the input";

/** A folder that does not take a run. The message says what is in the way, without an end to the sentence. */
export class RunFolderError extends Error {
  override readonly name = "RunFolderError";
  readonly code = "RUN_FOLDER";
  readonly obstacle: RunFolderObstacle;

  constructor(obstacle: RunFolderObstacle, message: string, options?: ErrorOptions) {
    super(message, options);
    this.obstacle = obstacle;
  }
}
