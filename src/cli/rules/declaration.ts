// `stackelberg rules` as the user types it, with its help text.

import type { CommandDeclaration } from "../command/declaration.ts";

export const rulesDeclaration: CommandDeclaration = {
  name: "rules",
  examples: [["rules", "the ways to a hypergradient"]],
  declare(command, setExitCode) {
    command
      .description("list the hypergradient rules: what each needs, costs and keeps in memory")
      .option("--json", "print the rules as one JSON array, with biases, failures and sources")
      .action(async (flags: { json?: boolean }) => {
        const { runRules } = await import("./command.ts");
        setExitCode(runRules(flags));
      });
  },
};
