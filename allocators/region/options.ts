import { InputError } from "../../memory/errors.js";
import { type OptionTable, resolveOptions } from "../../memory/options.js";

/** Options of `region`; `chunk` in bytes. */
export interface RegionOptions {
  by: "phase" | "size" | "birth";
  chunk: number;
}

export const regionOptions: OptionTable<RegionOptions> = {
  by: {
    kind: "choice",
    values: ["phase", "size", "birth"],
    default: "phase",
    help: "a block's region: the phase it is allocated in (marks of the trace), its size to a power of two, or its chunk",
  },
  chunk: {
    kind: "bytes",
    min: 4096,
    max: 1 << 24,
    default: 65536,
    help: "regions grow by chunks of this size, a power of two; a block of more than a quarter is mapped by itself",
  },
};

/** The resolved options. Throws an `InputError` for a chunk that is no power of two. */
export function resolveRegionOptions(given?: Partial<RegionOptions>): RegionOptions {
  const resolved = resolveOptions("region", regionOptions, given);
  if ((resolved.chunk & (resolved.chunk - 1)) === 0) return resolved;
  throw new InputError(`region: option chunk: ${resolved.chunk} is not a power of two, such as 64K or 1M`);
}
