/**
 * What happens in a run, as plain data: the one language of whatever computes, and of whatever looks on. A terminal's line,
 * the log of a run's folder, a page and another process read the same events.
 */
import * as v from "valibot";

/** Numbers by name: losses, accuracies, norms, seconds. What JSON has no number for is null in a file. */
export type Metrics = Readonly<Record<string, number>>;

/** What a computation tells. */
export type RunHappening =
  /** A run begins or goes on. `settings` are what it was told, as JSON. */
  | { readonly type: "started"; readonly command: string; readonly settings: unknown }
  /** A sentence for people. */
  | { readonly type: "note"; readonly text: string }
  /** A part of the run begins: split 2 of 5. `index` counts from 0. */
  | {
      readonly type: "part";
      readonly part: string;
      readonly index: number;
      readonly of: number;
      readonly doing?: string;
    }
  /** One step of many; `of` is how many there are at most, where that is known. */
  | {
      readonly type: "step";
      readonly doing?: string;
      readonly step: number;
      readonly of?: number;
      readonly metrics: Metrics;
    }
  /** Something has been measured: a method on a split, a validation, a trial. `text` says it to people. */
  | {
      readonly type: "measured";
      readonly what: string;
      readonly metrics: Metrics;
      readonly text: string;
    }
  /** The run's last event. `status` is a word, `sentence` what people are told. */
  | { readonly type: "ended"; readonly status: string; readonly sentence: string };

/** A happening with its time and its run. */
export type RunEvent = RunHappening & {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  /** Names the run, the same one when it goes on in another process. */
  readonly run: string;
};

const number = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? Number.NaN),
);
const metrics = v.record(v.string(), number);
const stamp = { at: v.number(), run: v.string() };
const doing = v.exactOptional(v.string());

/** Of an event that was read. */
export const runEventSchema: v.GenericSchema<unknown, RunEvent> = v.variant("type", [
  v.object({ ...stamp, type: v.literal("started"), command: v.string(), settings: v.unknown() }),
  v.object({ ...stamp, type: v.literal("note"), text: v.string() }),
  v.object({
    ...stamp,
    type: v.literal("part"),
    part: v.string(),
    index: v.number(),
    of: v.number(),
    doing,
  }),
  v.object({
    ...stamp,
    type: v.literal("step"),
    doing,
    step: v.number(),
    of: v.exactOptional(v.number()),
    metrics,
  }),
  v.object({ ...stamp, type: v.literal("measured"), what: v.string(), metrics, text: v.string() }),
  v.object({ ...stamp, type: v.literal("ended"), status: v.string(), sentence: v.string() }),
]);
