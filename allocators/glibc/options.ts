import { InputError } from "../../memory/errors.js";
import { type OptionTable, resolveOptions } from "../../memory/options.js";

/** Options of `glibc`, after its tunables; sizes in bytes. */
export interface GlibcOptions {
  tcacheCount: number;
  mxfast: number;
  mmapThreshold: number;
  trimThreshold: number;
  topPad: number;
  dynamic: boolean;
}

const LARGEST_THRESHOLD = 1 << 30;

export const glibcOptions: OptionTable<GlibcOptions> = {
  tcacheCount: {
    kind: "integer",
    min: 0,
    max: 65535,
    default: 7,
    help: "chunks that the thread cache keeps of each size (glibc.malloc.tcache_count); 0: the cache stays empty",
  },
  mxfast: {
    kind: "bytes",
    min: 0,
    max: 160,
    default: 128,
    help: "largest request served from fast bins (glibc.malloc.mxfast); 0: none",
  },
  mmapThreshold: {
    kind: "bytes",
    min: 4096,
    max: LARGEST_THRESHOLD,
    default: 131072,
    help: "chunks from this size on are mapped on their own where the heap would have to grow",
  },
  trimThreshold: {
    kind: "bytes",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    default: 131072,
    help: "a top of at least this size is cut to topPad when 64 KiB become free at a time",
  },
  topPad: {
    kind: "bytes",
    min: 0,
    max: LARGEST_THRESHOLD,
    default: 131072,
    help: "bytes beyond the request that the heap grows by",
  },
  dynamic: {
    kind: "boolean",
    default: true,
    help: "a mapped chunk that is freed raises mmapThreshold to its size, and trimThreshold to twice that",
  },
};

/** Every option's value. Throws an `InputError` for options that glibc cannot have together. */
export function resolveGlibcOptions(given?: Readonly<Record<string, unknown>>): GlibcOptions {
  const options = resolveOptions("glibc", glibcOptions, given);
  const fixed = (["mmapThreshold", "trimThreshold", "topPad"] as const).find(
    (name) => options[name] !== glibcOptions[name].default,
  );
  if (options.dynamic && fixed !== undefined) {
    throw new InputError(`glibc: option ${fixed}: setting it ends the adjustment of thresholds; add dynamic=false`);
  }
  return options;
}
