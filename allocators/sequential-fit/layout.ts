/**
 * How blocks lie in a contiguous heap. Positions and sizes are in granules, and the first block has position 1. The
 * block at position `p` of `n` granules covers bytes [granule * p - lead, granule * (p + n) - lead) of the heap.
 *
 * - `tag`: an 8-byte header just below the program's bytes, which start at a multiple of 16. A free block holds two
 *   links behind its header and its size again, the footer, in its last 8 bytes (Wilson et al. 1995, section 3.1).
 * - `both-tags`: blocks in use have the footer as well (Knuth 2.5, algorithm C).
 * - `none`: a block is what the program gets, of one granule or more. Where the blocks are is known at no cost: this
 *   separates the policy from the mechanism (Johnstone and Wilson 1998).
 */
export interface Layout {
  /** Bytes, a power of two. */
  readonly granule: number;
  readonly perGranule: number;
  readonly shift: number;
  /** Bytes before the program's in a block, and behind them. */
  readonly header: number;
  readonly footer: number;
  /** Bytes by which blocks start below the multiple of the granule that is their position. */
  readonly lead: number;
  /** Granules of the smallest block. */
  readonly minBlock: number;
}

/** Header, two links and footer. */
const TAGGED_MIN = 32;
const TAGGED_GRANULE = 16;
const TAG = 8;

/** The layout of a header model; `granule` is a power of two, 16 with headers. */
export function layoutOf(header: "tag" | "both-tags" | "none", granule: number): Layout {
  const shift = 31 - Math.clz32(granule);
  const perGranule = 1 / granule;
  if (header === "none") return { granule, perGranule, shift, header: 0, footer: 0, lead: granule, minBlock: 1 };
  const footer = header === "both-tags" ? TAG : 0;
  return { granule, perGranule, shift, header: TAG, footer, lead: TAG, minBlock: TAGGED_MIN / TAGGED_GRANULE };
}

/** The whole granules in `bytes`; at most 2^31 - 1, which no block has. */
export function wideGranules(bytes: number, granule: number): number {
  return Math.min(Math.floor(bytes / granule), 0x7fffffff) | 0;
}

/** Granules from `position` to the first aligned one that leaves none, or room for a block of `least`, before it. */
export function leadTo(position: number, alignment: number, least: number): number {
  const over = position % alignment;
  const lead = over === 0 ? 0 : alignment - over;
  return lead === 0 || lead >= least ? lead : lead + alignment;
}
