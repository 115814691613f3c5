// The options of `fewshot eval`.

import type { BatchNorm } from "../../../fewshot/internal.ts";

/** The options of `fewshot eval` as typed. */
export interface EvalFlags {
  model?: string;
  data?: string;
  maxUnpacked?: number;
  episodes?: number;
  seed?: number;
  innerSteps?: number[];
  innerRate?: number;
  batchNorm?: BatchNorm | "all";
  ways?: number;
  shots?: number;
  queries?: number;
  threads?: number;
  out?: string;
  force?: boolean;
  json?: boolean;
  quiet?: boolean;
}
