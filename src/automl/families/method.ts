/** A way to choose a family's configuration on a split. Methods of one family are compared on the same rows. */
import type { HistoryEntry, SearchRecord, SearchState } from "./search-record.ts";

/** What is known of a method without running it. */
export interface MethodInfo {
  /** In results and checkpoints; no two methods of a family share it. */
  readonly name: string;
  /** In tables. */
  readonly title: string;
  /** In narrow tables. */
  readonly shortTitle: string;
  /** In sentences, lower case: "the best single coefficient". */
  readonly called: string;
  /**
   * "baseline": made first and in full; its time is not the search's. "search": goes on until it finds nothing more, its
   * steps or its share of the time end; it is compared with the baselines.
   */
  readonly role: "baseline" | "search";
  /** Of a search: the method from whose configuration it starts. */
  readonly startsFrom?: string;
  /** Of a search, for the report: what was moved, and what holds it; a sentence with "; " between the two. */
  readonly story?: { readonly moved: string; readonly held: string };
}

/**
 * A method.
 *
 * `choose` is called once for each split, after the methods before it in the family's list, or with `resume` to go on
 * with a search that was interrupted. The same split and options give the same configuration, also across that.
 */
export interface Method<Config, Opened> extends MethodInfo {
  /** @returns undefined when the signal stopped it with nothing to show. */
  choose(split: Opened, context: MethodContext<Config>): Promise<Found<Config> | undefined>;
}

/** What a method is given besides the split. */
export interface MethodContext<Config> {
  /** The configuration that an earlier method of the list found on this split. */
  earlier(method: string): Config;
  readonly repeat: number;
  /** Time for it, as long as `undefined` is not meant. */
  readonly budgetSeconds: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly resume: SearchState | undefined;
  /** Told of every outer step. */
  readonly onStep: (entry: HistoryEntry) => void;
  /** Given what {@link MethodContext.resume} takes, between steps. */
  readonly onState: (state: SearchState) => void | Promise<void>;
}

/** What a method found on a split. */
export interface Found<Config> {
  readonly config: Config;
  /** Mean loss of the held-out rows, each under the fold that did not train on it. */
  readonly validationLoss: number;
  /** Of a fit that ended before its minimum, in words; absent when all were solved. */
  readonly unsolved?: string;
  /** Of a search. */
  readonly search?: SearchRecord;
  /** True when the budget ended it, so that a resumed run goes on with it. */
  readonly cut: boolean;
  /** True when the signal ended it, with something to show. */
  readonly cancelled?: boolean;
}
