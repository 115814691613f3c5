/** Writes test/fixtures/hosts.json: `node --import tsx test/shared/generate.ts`. */
import { writeFileSync } from "node:fs";

import { cases, dtypes, evaluate } from "./programs.ts";

const numbers: Record<string, number[][]> = {};
for (const name of Object.keys(cases)) {
  for (const dtype of dtypes) {
    numbers[`${name}, ${dtype}`] = (await evaluate(name, dtype)).map((leaf) => [...leaf.data]);
  }
}
writeFileSync(new URL("../fixtures/hosts.json", import.meta.url), `${JSON.stringify(numbers)}\n`);
