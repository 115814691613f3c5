// What a command is to the command line: a name, its place in the help, and its options.

import type { Command } from "commander";

/** A command; a folder of src/cli has one. */
export interface CommandDeclaration {
  readonly name: string;
  /** What follows `stackelberg` in an example, and what it does: lines of the help of the whole. */
  readonly examples: readonly (readonly [words: string, meaning: string])[];
  /**
   * Declares options, help and action. The command itself is loaded only when it runs, so that help is instant.
   *
   * @param setExitCode - told what the command that ran returns.
   */
  declare(command: Command, setExitCode: (code: number) => void): void;
}
