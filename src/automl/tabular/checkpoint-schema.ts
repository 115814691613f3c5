/** What a checkpoint of `tune` must hold, typed by its interface: a member that is added there is asked for here. */
import * as v from "valibot";
import { anyNumber, count } from "../../files/index.ts";
import type {
  HistoryEntry,
  SearchRecord,
  TuneAdvice,
  UsedRule,
} from "../families/search-record.ts";
import type { MethodRecord, TuneCheckpoint } from "./record.ts";

type Read<T> = v.GenericSchema<unknown, T>;

const advice: Read<TuneAdvice> = v.looseObject({
  sentence: v.string(),
  call: v.string(),
  rows: count,
  ofRows: count,
  runnersUp: v.array(v.looseObject({ call: v.string(), why: v.string(), caution: v.string() })),
  ruledOut: v.array(v.looseObject({ rule: v.string(), why: v.string() })),
});

const historyEntry: Read<HistoryEntry> = v.looseObject({
  step: count,
  inner: anyNumber,
  outer: anyNumber,
  gradientNorm: anyNumber,
  innerGradientNorm: anyNumber,
  seconds: anyNumber,
});

const usedRule: Read<UsedRule> = v.looseObject({
  name: v.string(),
  call: v.string(),
  bias: v.nullable(v.string()),
  status: v.string(),
  sentence: v.string(),
  innerGradients: anyNumber,
  products: anyNumber,
  storedBytes: anyNumber,
  advice: v.exactOptional(advice),
});

const outer: Read<SearchRecord> = v.looseObject({
  status: v.picklist([
    "converged",
    "max-steps",
    "diverged",
    "non-finite",
    "singular",
    "cancelled",
  ] as const),
  sentence: v.string(),
  history: v.array(historyEntry),
  bestStep: count,
  innerSteps: count,
  innerGradientNorm: anyNumber,
  referenceGradientNorm: anyNumber,
  rule: usedRule,
  hold: v.looseObject({ share: anyNumber, gain: anyNumber, standardError: anyNumber }),
});

const record: Read<MethodRecord> = v.looseObject({
  method: v.string(),
  seconds: anyNumber,
  validationLoss: anyNumber,
  test: v.record(v.string(), anyNumber),
  testLoss: anyNumber,
  config: v.unknown(),
  unsolved: v.exactOptional(v.string()),
  cut: v.boolean(),
  outer: v.exactOptional(outer),
});

/** The schema of a checkpoint, its numbers already read (NaN and the infinities are not JSON's). */
export const checkpointSchema: Read<TuneCheckpoint> = v.looseObject({
  version: v.literal(2),
  fingerprint: v.string(),
  seconds: anyNumber,
  splits: v.array(v.array(record)),
  outer: v.array(
    v.looseObject({ repeat: count, state: v.string(), history: v.array(historyEntry) }),
  ),
  advice: v.exactOptional(advice),
});
