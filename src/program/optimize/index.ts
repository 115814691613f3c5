/** Our optimizations of a program, in the order that lets each feed the next. */
import type { Block, ValueFactory } from "../ir.ts";
import { eliminateCommonSubexpressions } from "./cse.ts";
import { gatherFactors } from "./factors.ts";
import { hoist } from "./hoist.ts";
import { prune } from "./prune.ts";
import { simplify } from "./simplify.ts";

export function optimize(block: Block, values: ValueFactory): Block {
  const simplified = simplify(prune(block), values);
  const hoisted = hoist(simplified, values);
  const shared = prune(eliminateCommonSubexpressions(hoisted, values));
  return prune(simplify(gatherFactors(shared, values), values));
}
