/** The one kind of error of tables, images and archives. */

/**
 * The data cannot be used as asked. The message is one sentence: where (file, line, column), what was
 * required, what came, what to do.
 */
export class DataError extends Error {
  readonly code = "DATA";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DataError";
  }
}
