import { oneLine } from "../command/errors.ts";

/** A sentence for the person in front of the terminal, apart from what the command prints. */
export function sayAside(text: string): void {
  process.stderr.write(`${oneLine(text)}\n`);
}
