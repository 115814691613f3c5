// A hand-made summary of data for the tests of reports, with a column that tries to be a script.

import type { DataSummary } from "../../src/cli/input/data-summary.ts";

export const dataSummary: DataSummary = {
  target: "income",
  task: "binary",
  taskIs: "inferred",
  classes: [
    { name: "<=50K", rows: 24720 },
    { name: ">50K", rows: 7841 },
  ],
  rows: {
    read: 32570,
    used: 32561,
    leftOut: [{ reason: 'no value in the target "income"', count: 9 }],
  },
  copies: 24,
  columns: {
    read: 9,
    notUsed: Array.from({ length: 7 }, (_, i) => ({
      name: i === 0 ? "<b>id</b>" : `empty ${i}`,
      reason: "no value in the training rows",
    })),
  },
  possibleLeaks: [
    { name: "tax", kind: "answer", sign: "alone gives 99.2 % of the classes right", used: true },
    { name: "<b>id</b>", kind: "id", sign: "has a different text in every row", used: false },
  ],
  cautions: ["A class has few rows."],
};
