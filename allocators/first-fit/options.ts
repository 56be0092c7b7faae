import type { OptionTable } from "../../memory/options.js";

/** Options of `firstFit`; sizes in bytes. */
export interface FirstFitOptions {
  minSplit: number;
  wilderness: "ordinary" | "preserved";
  growth: number;
  trim: number;
}

/** Defaults follow glibc 2.36: a first heap of 132 KiB (M_TOP_PAD plus a page) and M_TRIM_THRESHOLD of 128 KiB. */
export const firstFitOptions: OptionTable<FirstFitOptions> = {
  minSplit: { kind: "bytes", min: 32, max: 1 << 30, default: 32, help: "a smaller remainder stays inside the block" },
  wilderness: {
    kind: "choice",
    values: ["ordinary", "preserved"],
    default: "ordinary",
    help: "the free end of the heap is a block of the list, or unlisted and used only when no listed block fits",
  },
  growth: { kind: "bytes", min: 4096, max: 1 << 30, default: 135168, help: "the heap grows by multiples of this" },
  trim: {
    kind: "bytes",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    default: 131072,
    help: "a free end at least this large is cut to one growth step; 0 or Infinity: never",
  },
};
