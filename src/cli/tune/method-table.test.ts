import { expect, test } from "vitest";
import { makeTuneResult } from "../../../test/cli/tune-result.ts";
import { displayWidth } from "../terminal/text.ts";
import { compareMethods } from "../../automl/tabular/comparison.ts";
import { methodTable } from "./method-table.ts";

test("the table of methods fits the terminal and is colourless when asked", () => {
  const result = makeTuneResult();
  const comparison = compareMethods(result);
  for (const width of [30, 60, 80, 100, 200]) {
    const lines = methodTable(result, comparison, { width, color: false });
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(Math.max(width, 34));
    expect(lines.join("\n")).not.toContain("\u001b");
    expect(lines.join("\n")).toMatch(/0\.32\d+ ± 0\.00\d+ \*/);
  }
  expect(methodTable(result, comparison, { width: 200, color: true }).join("\n")).toContain(
    "\u001b[1m",
  );
});
