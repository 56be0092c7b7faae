import type { OptionSpec } from "../memory/options.js";

/** How long a generated trace is, for workloads that can stop anywhere. */
export const eventsOption = {
  kind: "integer",
  min: 1,
  max: 1e9,
  default: 500_000,
  help: "events in all",
} as const satisfies OptionSpec;
