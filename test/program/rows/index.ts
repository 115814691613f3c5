/** The table of primitives: for each, the operands it is tried on. A new primitive needs a row here. */
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { linear } from "./linear.ts";
import type { Row } from "./row.ts";
import { movement, reductions } from "./structure.ts";

export type { Row } from "./row.ts";

export const rows: readonly Row[] = [
  ...elementwise,
  ...reductions,
  ...movement,
  ...indexing,
  ...linear,
];
