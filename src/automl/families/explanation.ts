/** What a model is made of, as numbers and words that a report can draw without knowing the family. */

/** One input column of a model. */
export interface ExplainedInput {
  readonly name: string;
  readonly kind: "numeric" | "categorical";
  /** Encoded columns of this input. */
  readonly columns: number;
  readonly numbers: Readonly<Record<string, number>>;
}

/** A bar that is drawn for every input. */
export interface ExplainedBar {
  /** Of {@link ExplainedInput.numbers}; at least 0. */
  readonly number: string;
  readonly title: string;
  /** "share": from 0 to 1, shown in percent. "size": relative to the largest. */
  readonly scale: "share" | "size";
  /** Colour: what is held back, or what is used. */
  readonly tone: "shrink" | "weight";
}

/** What each input column is worth. */
export interface Explanation {
  /** In the encoder's order. */
  readonly inputs: readonly ExplainedInput[];
  /** Places in `inputs`, the most used column first. */
  readonly order: readonly number[];
  /** At most two. */
  readonly bars: readonly ExplainedBar[];
  /** One line on an input, for a pointer that rests on it. */
  readonly details: readonly string[];
  /** How to read the bars, before them. */
  readonly reading: string;
  /** What the numbers are, after them. */
  readonly definitions: string;
}
