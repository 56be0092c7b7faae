/** Bounds and closed forms from the literature, in words unless they are ratios: what measurements are held against. */
import { log2 } from "../memory/exact-math.js";

/**
 * Robson 1974, result 1: the store in which some allocator can serve any program with at most M words live and requests
 * of 1, 2, 4 ... n words, n a power of two that divides M; no allocator that does not move blocks needs less.
 */
export function robsonLowerBound(live: number, largest: number): number {
  return live * (1 + log2(largest) / 2) - largest + 1;
}

/** Robson 1974: first-fit buddy never needs more, where 2n divides M. */
export function robsonUpperBound(live: number, largest: number): number {
  return live * (1 + log2(largest) / 2);
}

/** What Robson's program gets out of first, best, next and worst fit: observed, not proved. */
export function robsonOnFits(live: number, largest: number): number {
  return live * (1 + log2(largest) / 2) - largest / 2 + 1;
}

/** Robson 1977: extent of best fit under the attack with K pairs, m the largest request. */
export function bestFitAttackExtent(largest: number, pairs: number): number {
  return (largest - 2) * (pairs + 2);
}

/** The most words live in that attack. */
export function bestFitAttackLive(largest: number, pairs: number): number {
  return pairs + 4 * largest - 10;
}

/** Hasan, Chang & Gharaibeh 2010: what the basic strategy gets out of address-ordered first fit; n the smallest size. */
export function hasanExtent(live: number, smallest: number): number {
  return (live * (log2(live / smallest) + 1)) / 2;
}

/** Bendersky & Petrank 2011: no more than this for a manager that moves one word for c allocated. */
export function partialCompactionUpperBound(live: number, c: number): number {
  return (c + 1) * live;
}

/** Expected share of units of `blocks` blocks that keep at least one, if each block survives with chance f. */
export function unitsKept(f: number, blocks: number): number {
  let none = 1;
  for (let square = 1 - f, n = blocks; n > 0; n = Math.floor(n / 2), square *= square) if (n % 2 === 1) none *= square;
  return 1 - none;
}

/** Allocated over requested where sizes are uniform on (0, S] and classes are in the ratio r up to S. */
export function geometricClassesWaste(ratio: number): number {
  return (2 * ratio) / (ratio + 1);
}

/** Pool pinning, class by class: pools that hold one block then, and bytes that are live. */
export interface Pinned {
  readonly size: number;
  readonly pools: number;
  readonly live: number;
}

/**
 * What pool pinning leaves after each class of `sizes`, from an empty heap: with L bytes live, blocks of s bytes fill
 * floor((M - L) / (s k)) pools of k = floor((pool - header) / s) blocks, of which one stays in each.
 */
export function poolPinningCourse(sizes: readonly number[], most: number, pool: number, header: number): Pinned[] {
  let pools = 0;
  let live = 0;
  return sizes.map((size) => {
    const more = Math.floor((most - live) / (size * Math.floor((pool - header) / size)));
    pools += more;
    live += more * size;
    return { size, pools, live };
  });
}
