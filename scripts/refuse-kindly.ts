/** How the command line refuses what it cannot parse. */
import type { Command } from "commander";

/** The words that call a command. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/**
 * The words of a call up to the first that is no command where one is expected, so that it is refused also where help is
 * asked for.
 */
export function upToUnknown(command: Command, words: readonly string[]): readonly string[] {
  const [word, ...rest] = words;
  const next = command.commands.find((one) => one.name() === word);
  if (next !== undefined) return [next.name(), ...upToUnknown(next, rest)];
  const isCommand = command.commands.length > 0 && word !== undefined && word !== "help" && !word.startsWith("-");
  return isCommand ? [word] : words;
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
