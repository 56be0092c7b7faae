import { InputError } from "../../memory/errors.js";
import { type OptionTable, resolveOptions } from "../../memory/options.js";

/** Options of every buddy system; `chunk` in bytes. */
export interface BuddyOptions {
  policy: "lowest" | "lifo";
  minOrder: number;
  chunk: number;
  header: "out" | "in";
  release: "keep-one" | "always" | "never";
  merge: "eager" | "lazy";
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
  merge: {
    kind: "choice",
    values: ["eager", "lazy"],
    default: "eager",
    help: "free buddies merge at once, or when fewer blocks of their size are live than lazily freed (Lee and Barkley)",
  },
};

/** Option sets that the tests run of the buddy systems whose blocks are no powers of two. */
export const treeVariants: readonly Partial<BuddyOptions>[] = [
  { policy: "lifo", chunk: 65536 },
  { header: "in", release: "always" },
  { merge: "lazy", policy: "lifo", header: "in", chunk: 32768 },
  { merge: "lazy", minOrder: 6, chunk: 16384, release: "never" },
];

/**
 * The resolved options of the buddy system `owner`. Throws an `InputError` for a chunk that is no power of two.
 */
export function resolveBuddyOptions(owner: string, given?: Partial<BuddyOptions>): BuddyOptions {
  const resolved = resolveOptions(owner, buddyOptions, given);
  const { chunk } = resolved;
  if ((chunk & (chunk - 1)) !== 0) {
    throw new InputError(`${owner}: option chunk: ${chunk} is not a power of two, such as 64K or 1M`);
  }
  return resolved;
}
