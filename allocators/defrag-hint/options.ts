import { InputError } from "../../memory/errors.js";
import type { OptionTable } from "../../memory/options.js";
import { checkChunk, type JemallocOptions, jemallocOptions } from "../jemalloc/jemalloc.js";

/** Options of `defrag-hint`, with the defaults of redis.conf, and those of its jemalloc. */
export interface DefragOptions extends JemallocOptions {
  /** Which blocks move. */
  hint: "thin" | "mean";
  /** Percent of the allocated bytes that are wasted: below `lower` nothing is done, from `upper` on all that may be. */
  lower: number;
  upper: number;
  /** Wasted bytes below which nothing is done. */
  ignore: number;
  /** Percent of the time at `lower` and at `upper`. */
  cycleMin: number;
  cycleMax: number;
  /** Milliseconds from one slice of work to the next. */
  period: number;
  /** Milliseconds before it is switched on. */
  start: number;
  /** Bytes that the program asks for on top of a block's capacity when it allocates an object anew. */
  prefix: number;
  /** Pointers of the program to each object. */
  references: number;
  /** Coefficients by which the work takes virtual time. */
  passTime: "raw" | "anchorage" | "redis" | "redis72";
}

const percent = { kind: "number", min: 0, max: 1000 } as const;
const TIB = 1024 * 1024 * 1024 * 1024;

export const defragOptions: OptionTable<DefragOptions> = {
  hint: {
    kind: "choice",
    values: ["thin", "mean"],
    default: "thin",
    help: "move out of slabs up to 9/8 of the mean of those not full (Redis 5 on), or up to the mean of the bin (4.0)",
  },
  lower: { ...percent, default: 10, help: "least waste, in percent of the allocated bytes (threshold-lower)" },
  upper: { ...percent, default: 100, help: "waste at which the effort is largest, in percent (threshold-upper)" },
  ignore: { kind: "bytes", min: 0, max: TIB, default: 100 * 1024 * 1024, help: "least wasted bytes (ignore-bytes)" },
  cycleMin: { kind: "number", min: 0.01, max: 99, default: 1, help: "percent of the time at the lower threshold" },
  cycleMax: { kind: "number", min: 0.01, max: 99, default: 25, help: "percent of the time at the upper threshold" },
  period: { kind: "number", min: 1e-3, max: 1e9, default: 100, help: "virtual ms between slices (1000 / hz)" },
  start: {
    kind: "number",
    min: 0,
    max: 1e9,
    default: 0,
    help: "virtual ms before it is switched on (activedefrag yes)",
  },
  references: {
    kind: "integer",
    min: 0,
    max: 1000,
    default: 1,
    help: "pointers to each object, patched when it moves",
  },
  prefix: {
    kind: "integer",
    min: 0,
    max: 1024,
    default: 0,
    help: "bytes that an object is asked for beyond its block's capacity when it moves (8: Redis 4.0.2 of Mesh's test suite)",
  },
  passTime: {
    kind: "choice",
    values: ["raw", "anchorage", "redis", "redis72"],
    default: "redis",
    help: "coefficients by which looks and moves take virtual time: redis as in a run of 4.0, redis72 as on servers with 7.2",
  },
  ...jemallocOptions,
  chunk: {
    ...jemallocOptions.chunk,
    help: "hint=mean spares the chunk of the current slab; pages=chunks: size of a chunk; dirtyRatio: may stay in any case",
  },
  dirtyDecay: { ...jemallocOptions.dirtyDecay, kind: "number", min: 0, max: Number.POSITIVE_INFINITY, default: 10_000 },
};

/** Throws an `InputError` where thresholds or efforts are in the wrong order, or a chunk has no size for one. */
export function checkDefragOptions(o: DefragOptions): void {
  if (o.lower >= o.upper) throw new InputError(`defrag-hint: option lower: ${o.lower} is not below upper ${o.upper}`);
  checkChunk("defrag-hint", o);
  if (o.cycleMin > o.cycleMax)
    throw new InputError(`defrag-hint: option cycleMin: ${o.cycleMin} is above cycleMax ${o.cycleMax}`);
}
