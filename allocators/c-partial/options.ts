import type { OptionTable } from "../../memory/options.js";

/** Options of `cPartial`; `growth` in bytes. */
export interface CPartialOptions {
  manager: "slide" | "evacuate";
  c: number;
  growth: number;
}

export const cPartialOptions: OptionTable<CPartialOptions> = {
  manager: {
    kind: "choice",
    values: ["slide", "evacuate"],
    default: "slide",
    help: "bump, and slide all blocks together at c + 1 times the most live; or first fit that empties the cheapest window",
  },
  c: {
    kind: "number",
    min: 1,
    max: Number.POSITIVE_INFINITY,
    default: 10,
    help: "at most one byte may be moved for c bytes allocated so far; Infinity: none",
  },
  growth: { kind: "bytes", min: 4096, max: 1 << 30, default: 65536, help: "bytes obtained from the system at a time" },
};
