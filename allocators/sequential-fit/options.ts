import { InputError } from "../../memory/errors.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import { type Layout, layoutOf } from "./layout.js";

/** Which free block a request takes. */
export type Fit = "first" | "best" | "next" | "worst";

/** Options of the sequential fits; sizes in bytes. */
export interface SequentialFitOptions {
  order: "address" | "lifo" | "fifo";
  coalesce: "immediate" | "deferred" | "none";
  quickLargest: number;
  quickCount: number;
  cut: "low" | "high";
  minSplit: number;
  wilderness: "ordinary" | "preserved";
  growth: number;
  trim: number;
  header: "tag" | "both-tags" | "none";
  granule: number;
}

/** Defaults follow glibc 2.36: a first heap of 132 KiB (M_TOP_PAD plus a page) and M_TRIM_THRESHOLD of 128 KiB. */
export const sequentialFitOptions: OptionTable<SequentialFitOptions> = {
  order: {
    kind: "choice",
    values: ["address", "lifo", "fifo"],
    default: "address",
    help: "order of the free list: by address, last freed first, or first freed first",
  },
  coalesce: {
    kind: "choice",
    values: ["immediate", "deferred", "none"],
    default: "immediate",
    help: "join adjacent free blocks at once, or when the quick lists are emptied, or never",
  },
  quickLargest: {
    kind: "bytes",
    min: 0,
    max: 1 << 30,
    default: 0,
    help: "with coalesce=deferred: larger blocks, headers included, are coalesced at once; 0: 64 KiB",
  },
  quickCount: {
    kind: "integer",
    min: 0,
    max: 1 << 30,
    default: 0,
    help: "with coalesce=deferred: the quick lists are emptied when they hold this many blocks; 0: only when no block fits",
  },
  cut: {
    kind: "choice",
    values: ["low", "high"],
    default: "low",
    help: "end of a free block that is handed out; what is left keeps its place in the list only if it is the low end",
  },
  minSplit: {
    kind: "bytes",
    min: 0,
    max: 1 << 30,
    default: 0,
    help: "a smaller remainder stays inside the block; 0: the smallest block",
  },
  wilderness: {
    kind: "choice",
    values: ["ordinary", "preserved"],
    default: "ordinary",
    help: "the free end of the heap is a block of the list, or unlisted and used only when no listed block fits",
  },
  growth: {
    kind: "bytes",
    min: 0,
    max: 1 << 30,
    default: 135168,
    help: "the heap grows by multiples of this, in whole pages; 0: by exactly what is lacking",
  },
  trim: {
    kind: "bytes",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    default: 131072,
    help: "a free end at least this large is cut to one growth step; 0 or Infinity: never",
  },
  header: {
    kind: "choice",
    values: ["tag", "both-tags", "none"],
    default: "tag",
    help: "8 bytes before each block, and a footer in free ones; 8 before and 8 behind each; or nothing (policy alone)",
  },
  granule: {
    kind: "integer",
    min: 1,
    max: 4096,
    default: 16,
    help: "with header=none: sizes and addresses are multiples of this, a power of two, and it is the smallest block",
  },
};

export const sequentialFitDefaults: SequentialFitOptions = defaultsOf(sequentialFitOptions);

/** Blocks up to this size go to quick lists unless told otherwise: FASTBIN_CONSOLIDATION_THRESHOLD of glibc 2.36. */
const QUICK_LARGEST = 65536;

/** Options that go together, with the layout of blocks that they name. */
export interface ResolvedFit extends SequentialFitOptions {
  readonly layout: Layout;
}

/** The resolved options of the allocator `name`. Throws an `InputError` with the reason where they do not go together. */
export function resolveFit(name: string, given?: Partial<SequentialFitOptions>): ResolvedFit {
  const options = resolveOptions(name, sequentialFitOptions, given);
  const refuse = (option: keyof SequentialFitOptions, reason: string): never => {
    throw new InputError(`${name}: option ${option}: "${options[option]}" ${reason}`);
  };
  const { granule, header, coalesce } = options;
  if ((granule & (granule - 1)) !== 0) refuse("granule", "is not a power of two");
  if (header !== "none" && granule !== 16) refuse("granule", `needs header=none; headers lie at multiples of 16 bytes`);
  const layout = layoutOf(header, granule);
  const least = layout.minBlock * layout.granule;
  if (options.minSplit > 0 && options.minSplit < least) {
    refuse("minSplit", `is smaller than the smallest block, ${least} bytes with header=${header}`);
  }
  for (const option of ["quickLargest", "quickCount"] as const) {
    if (options[option] !== 0 && coalesce !== "deferred") {
      refuse(option, `needs coalesce=deferred; there are no quick lists with coalesce=${coalesce}`);
    }
  }
  return {
    ...options,
    layout,
    minSplit: Math.max(options.minSplit, least),
    quickLargest: options.quickLargest === 0 ? QUICK_LARGEST : options.quickLargest,
    quickCount: options.quickCount === 0 ? Number.POSITIVE_INFINITY : options.quickCount,
    growth: options.growth,
    trim: options.trim === 0 ? Number.POSITIVE_INFINITY : options.trim,
  };
}
