/** How the command line refuses what it cannot parse. */
import type { Command } from "commander";

/** The words that call a command. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** A command and those under it refuse in the same way: one line, exit 2. */
export function refuseKindly(command: Command): void {
  command.exitOverride();
  command.configureOutput({
    outputError: (text, write) => {
      const message = text
        .replace(/^error: /, "")
        .trim()
        .replaceAll(/\s*\n\s*/g, " ");
      write(`fraglab: ${message}${/[.?)]$/.test(message) ? "" : "."} See ${pathOf(command)} --help\n`);
    },
  });
  command.commands.forEach(refuseKindly);
}
