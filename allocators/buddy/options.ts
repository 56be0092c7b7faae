import { InputError } from "../../memory/errors.js";
import { type OptionTable, resolveOptions } from "../../memory/options.js";

/** Options of `buddy`; `chunk` in bytes. */
export interface BuddyOptions {
  policy: "lowest" | "lifo";
  minOrder: number;
  chunk: number;
  header: "out" | "in";
  release: "keep-one" | "always" | "never";
}

export const buddyOptions: OptionTable<BuddyOptions> = {
  policy: {
    kind: "choice",
    values: ["lowest", "lifo"],
    default: "lowest",
    help: "which free block of an order is used: the lowest (bitmaps) or the one freed last (free lists)",
  },
  minOrder: {
    kind: "integer",
    min: 4,
    max: 12,
    default: 4,
    help: "the smallest block has 2^minOrder bytes; at least 5 with headers in band, which need 32 bytes",
  },
  chunk: {
    kind: "bytes",
    min: 4096,
    max: 1 << 30,
    default: 1 << 20,
    help: "the largest order and the step of growth, a power of two; a larger request is mapped by itself",
  },
  header: {
    kind: "choice",
    values: ["out", "in"],
    default: "out",
    help: "orders of blocks in bitmaps beside the heap, or in a 16-byte header, so that 2^k bytes take 2^(k+1)",
  },
  release: {
    kind: "choice",
    values: ["keep-one", "always", "never"],
    default: "keep-one",
    help: "wholly free chunks go back to the system: all but one, all, or none",
  },
};

/** The resolved options. Throws an `InputError` for a chunk that is no power of two. */
export function resolveBuddyOptions(given?: Partial<BuddyOptions>): BuddyOptions {
  const resolved = resolveOptions("buddy", buddyOptions, given);
  if ((resolved.chunk & (resolved.chunk - 1)) !== 0) {
    throw new InputError(`buddy: option chunk: ${resolved.chunk} is not a power of two, such as 64K or 1M`);
  }
  return resolved;
}
