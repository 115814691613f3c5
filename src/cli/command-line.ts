// The list of commands: each stands in a folder of its own, which says how a user types it.

import { Command, type CommanderError } from "commander";
import { cleanDeclaration } from "./clean/declaration.ts";
import { asTyped } from "./command/command-text.ts";
import type { CommandDeclaration } from "./command/declaration.ts";
import { UsageError } from "./command/errors.ts";
import { doctorDeclaration } from "./doctor/declaration.ts";
import { fewshotDeclaration } from "./fewshot/declaration.ts";
import { predictDeclaration } from "./predict/declaration.ts";
import { rulesDeclaration } from "./rules/declaration.ts";
import { tuneDeclaration } from "./tune/declaration.ts";
import { packageVersion } from "../study/index.ts";

const commands: readonly CommandDeclaration[] = [
  tuneDeclaration,
  predictDeclaration,
  cleanDeclaration,
  fewshotDeclaration,
  rulesDeclaration,
  doctorDeclaration,
];

/** Builds the parser; `setExitCode` is told what the command that ran returns. */
export function buildCommandLine(setExitCode: (code: number) => void): Command {
  const program = new Command("stackelberg")
    .description("Tune a model's hyperparameters by gradients through its training.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
      writeOut: (text) => process.stdout.write(asTyped(text)),
    })
    .addHelpText("after", programExamples())
    .allowExcessArguments(true)
    .action((_options: unknown, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) {
        throw new UsageError(
          `there is no command "${unknown}"; the commands are ${commandNames()}`,
        );
      }
      throw new UsageError(
        "no command given; try `stackelberg tune data.csv --target column` or --help",
      );
    });
  for (const { name, declare } of commands) {
    const command = program.command(name).allowExcessArguments(false);
    declare(command.helpOption("-h, --help", "print this help"), setExitCode);
  }
  return program;
}

/** The parser's own complaint as a sentence; `undefined` for help and version. */
export function commandLineError(error: CommanderError): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  const message = error.message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/^option '([^ ,']+)[^']*' argument missing$/, "$1 needs a value")
    .replace(/^missing required argument '(.*)'$/, "the $1 is missing")
    .replace(
      /^too many arguments for '(.*)'\. Expected (\d+) arguments? but got (\d+)\.?$/,
      tooMany,
    );
  return new UsageError(`${message}; --help lists what is understood`);
}

function tooMany(_: string, command: string, expected: string, got: string): string {
  const files = expected === "1" ? "1 file or folder" : `${expected} files or folders`;
  return `${command} takes ${files}, ${got} words came; put names that contain spaces in quotes`;
}

function commandNames(): string {
  const names = commands.map(({ name }) => name);
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}

function programExamples(): string {
  const examples = commands.flatMap((command) => command.examples);
  const width = Math.max(...examples.map(([words]) => words.length));
  const lines = examples.map(
    ([words, meaning]) => `  stackelberg ${words.padEnd(width)}   ${meaning}`,
  );
  return `\nExamples:\n${lines.join("\n")}\n\n\`stackelberg <command> --help\` lists a command's options.`;
}
