/** The end of a command's help: how it is used. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ fraglab ${line}`).join("\n")}`;
}
