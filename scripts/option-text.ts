import type { OptionSpec } from "../memory/options.js";

/** The values that an option takes, in words. */
export function rangeText(option: OptionSpec): string {
  switch (option.kind) {
    case "choice":
      return option.values.join(", ");
    case "boolean":
      return "true, false";
    case "text":
      return option.form;
    default:
      return `${option.min} to ${option.max}`;
  }
}

/** An option on one line: name, default, values and help. */
export function optionText(name: string, option: OptionSpec): string {
  return `${name}=${option.default} (${rangeText(option)}): ${option.help}`;
}
