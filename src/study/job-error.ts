/** Errors as plain data: a copy between threads keeps neither a class nor a code. */

/** An error and its causes. */
export interface EncodedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: unknown;
  readonly path?: unknown;
  readonly cause?: EncodedError;
}

/** Anything thrown as data. */
export function encodeError(thrown: unknown): EncodedError {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown) };
  const { name, message, stack, cause } = thrown;
  const { code, path } = thrown as { code?: unknown; path?: unknown };
  const isPlain = (value: unknown): boolean =>
    typeof value === "string" || typeof value === "number";
  return {
    name,
    message,
    stack,
    ...(isPlain(code) ? { code } : {}),
    ...(isPlain(path) ? { path } : {}),
    ...(cause === undefined ? {} : { cause: encodeError(cause) }),
  };
}

/** An Error that says the same. */
export function decodeError({ name, message, stack, code, path, cause }: EncodedError): Error {
  const error = new Error(message, cause === undefined ? {} : { cause: decodeError(cause) });
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return Object.assign(
    error,
    code === undefined ? {} : { code },
    path === undefined ? {} : { path },
  );
}
