/** What writes a primitive as operations of others. */
import type { Builder } from "../builder.ts";
import type { Params, Value } from "../ir.ts";

/** Builds the primitive from simpler operations in the open block. */
export type Expand = (builder: Builder, inputs: readonly Value[], params: Params) => Value[];
