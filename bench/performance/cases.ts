/** All cases of `npm run bench`, in the order of its table. */
import type { Case } from "./case.ts";
import { hypergradientCases } from "./hypergradient-cases.ts";
import { networkCases } from "./network-cases.ts";

export const cases: readonly Case[] = [...hypergradientCases, ...networkCases];
