// `stackelberg doctor` as the user types it, with its help text.

import type { CommandDeclaration } from "../command/declaration.ts";
import { oneOf } from "../command/option-readers.ts";
import * as parse from "../command/options.ts";

export const doctorDeclaration: CommandDeclaration = {
  name: "doctor",
  examples: [["doctor", "what works on this machine"]],
  declare(command, setExitCode) {
    command
      .description("say which devices and threads work here and run a one-second self-check")
      .option("--json", "print the findings as one JSON object")
      .option(
        "--probe <device>",
        "try one device and print what happened",
        oneOf("--probe", parse.devices),
      )
      .action(async (flags: { json?: boolean; probe?: parse.Device }) => {
        const { runDoctor } = await import("./command.ts");
        setExitCode(await runDoctor(flags));
      });
  },
};
