/**
 * Settings, images or files of a few-shot training that cannot be used. The message says what, where and what to do, with the
 * names of settings in backquotes.
 */
export class FewshotError extends Error {
  override readonly name = "FewshotError";
  readonly code = "DATA";
}
