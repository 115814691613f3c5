export type {
  HistoryEntry,
  Method,
  MethodResult,
  TabularModel,
  TunedInput,
  TuneEvent,
  TuneOptions,
  TuneResult,
} from "./types.ts";
