// The package's own version, read from its package.json: the same path from src/cli/command and dist/cli/command.

import { readFileSync } from "node:fs";

/** Version of the installed stackelberg package, for example `"0.1.0"`. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
