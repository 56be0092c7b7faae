/**
 * The free blocks of a buddy system by order. A block of order `k` has 2^k units and is named by its first one, a
 * multiple of 2^k. Orders are 0 to 30.
 */
export interface FreeBlocks {
  /** The smallest order, `order` or above, that has a free block; -1 where there is none. */
  smallest(order: number): number;
  /** Takes a block of an order that has one: which one is the policy. */
  take(order: number): number;
  add(order: number, unit: number): void;
  /** Takes a certain free block. */
  remove(order: number, unit: number): void;
}

/** Index of the lowest set bit of a word; -1 for 0. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** The lowest bit of a mask that is not below `order`, or -1. */
export function lowestAtLeast(mask: number, order: number): number {
  return lowestBit(mask & (-1 << order));
}
