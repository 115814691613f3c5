/** One coefficient per column, by hypergradients of the held-out loss. */
import type { Method } from "../../method.ts";
import type { LinearConfig } from "../config.ts";
import type { LinearSplit } from "../run.ts";
import { searchColumns } from "../search-columns.ts";
import { foundOf } from "./found.ts";
import { grid } from "./grid.ts";

/** The method. */
export const hypergradient: Method<LinearConfig, LinearSplit> = {
  name: "hypergradient",
  title: "one coefficient per column (hypergradient)",
  shortTitle: "per column",
  called: "one coefficient per column",
  role: "search",
  startsFrom: grid.name,
  story: {
    moved: "The coefficients were tuned by gradient steps from the best single one",
    held: "a normal prior holds them together, and they leave the single one only as far as held-out rows that did not tune them favour",
  },
  choose: async (split, context) => {
    const { single } = context.earlier(grid.name);
    const { choice, outer, cut, cancelled } = await searchColumns(split, {
      ...context,
      run: split.run,
      single,
    });
    return { ...foundOf(split, choice, single), search: outer, cut, cancelled };
  },
};
