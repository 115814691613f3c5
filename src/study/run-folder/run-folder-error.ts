/** Why a folder does not take a run. */

/** What is in the way; whoever asks people for the folder knows what they can do about it. */
export type RunFolderCode =
  | "FOLDER_IS_FILE"
  | "FOLDER_NOT_EMPTY"
  | "FOLDER_NO_PLACE"
  | "FOLDER_NOT_WRITABLE"
  | "FOLDER_IN_USE"
  | "FOLDER_NOT_A_RUN"
  | "FOLDER_OF_INPUT";

/** A folder that does not take a run. The message says what is in the way, without an end to the sentence. */
export class RunFolderError extends Error {
  override readonly name = "RunFolderError";
  readonly code: RunFolderCode;

  constructor(code: RunFolderCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
