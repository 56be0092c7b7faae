import { grown } from "../../memory/columns.js";
import type { Sizes } from "./sizes.js";
import * as treeRecords from "./tree-records.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const { larger, lowestBit } = treeRecords;

const LEAF_SHIFT = 5;

/**
 * Free blocks in the order of their places, with the first one of some size or more in O(log places) amortised.
 *
 * A leaf covers 32 places and holds one word: bit `i % 32` is set where a free block has place `i`. A tree over the
 * leaves, four children to a node, bounds the largest block of each subtree from above. A block that goes leaves the
 * bounds as they are: most of them do not matter before a larger block comes. A search that fails in a leaf makes the
 * leaf's bound exact, which can happen only as often as blocks have left it since.
 *
 * The tree is implicit: node `g`, 0 is the root, has the entries 4g to 4g + 3, and if entry `e` is not a leaf, its
 * children are those of node e + 1. An entry that is no leaf is the maximum of its children.
 */
export class MaxTree {
  private readonly sizes: Sizes;
  private starts: Int32Array;
  private bounds: Int32Array;
  /** Entry of the first leaf. */
  private firstLeaf: number;

  /** An empty set over the places of `sizes`, which must know that of each block in the set whenever a method runs. */
  constructor(sizes: Sizes) {
    this.sizes = sizes;
    this.starts = new Int32Array(0);
    this.bounds = new Int32Array(0);
    this.firstLeaf = 0;
    this.grow();
  }

  /** The sizes have become longer. */
  grow(): void {
    const starts = grown(this.starts, this.sizes.length >>> LEAF_SHIFT);
    this.starts = starts;
    this.firstLeaf = 0;
    while (this.firstLeaf * 3 + 4 < starts.length) this.firstLeaf = this.firstLeaf * 4 + 4;
    this.bounds = new Int32Array((this.firstLeaf + starts.length + 3) & -4);
    this.sumUp();
  }

  /** Forgets all blocks; those in the set are now the places whose sizes are not 0. */
  refill(): void {
    const { sizes } = this;
    this.starts = new Int32Array(sizes.length >>> LEAF_SHIFT);
    for (let at = 0; at < sizes.length; at++) {
      if (sizes.sizeAt(at) !== 0) this.starts[at >>> LEAF_SHIFT] |= 1 << (at & 31);
    }
    this.grow();
  }

  /** No block is larger than this. */
  most(): number {
    const bounds = this.bounds;
    return larger(larger(bounds[0], bounds[1]), larger(bounds[2], bounds[3]));
  }

  insert(at: number, size: number): void {
    this.starts[at >>> LEAF_SHIFT] |= 1 << (at & 31);
    this.raise(at, size);
  }

  remove(at: number): void {
    this.starts[at >>> LEAF_SHIFT] &= ~(1 << (at & 31));
  }

  /** The block at `at` has grown to `size`. */
  raise(at: number, size: number): void {
    const bounds = this.bounds;
    for (let entry = (at >>> LEAF_SHIFT) + this.firstLeaf; entry >= 0; entry = (entry >> 2) - 1) {
      if (bounds[entry] >= size) return;
      bounds[entry] = size;
    }
  }

  /** Makes the bound of the leaf of `at` exact. */
  settle(at: number): void {
    const bounds = this.bounds;
    let entry = (at >>> LEAF_SHIFT) + this.firstLeaf;
    let largest = this.largestIn(at >>> LEAF_SHIFT);
    while (bounds[entry] !== largest) {
      bounds[entry] = largest;
      if (entry < 4) return;
      const node = entry & -4;
      largest = larger(larger(bounds[node], bounds[node + 1]), larger(bounds[node + 2], bounds[node + 3]));
      entry = (entry >> 2) - 1;
    }
  }

  /** The first of the largest blocks, if they have `need` granules or more, else -1. */
  firstLargest(need: number): number {
    for (;;) {
      const most = this.most();
      if (most < need) return -1;
      const leaf = this.leafBelow(-1, most);
      const at = this.firstIn(leaf, -1, most);
      if (at >= 0) return at;
      this.settle(leaf << LEAF_SHIFT);
    }
  }

  /** The first block of at least `need` granules, or -1. */
  first(need: number): number {
    while (this.most() >= need) {
      const leaf = this.leafBelow(-1, need);
      const at = this.firstIn(leaf, -1, need);
      if (at >= 0) return at;
      this.settle(leaf << LEAF_SHIFT);
    }
    return -1;
  }

  /** The first block of at least `need` granules whose place is `at` or after it, or -1. */
  from(at: number, need: number): number {
    let leaf = at >>> LEAF_SHIFT;
    let found = this.firstIn(leaf, -1 << (at & 31), need);
    while (found < 0) {
      leaf = this.leafAfter(leaf, need);
      if (leaf < 0) return -1;
      found = this.firstIn(leaf, -1, need);
      if (found < 0) this.settle(leaf << LEAF_SHIFT);
    }
    return found;
  }

  /** The first leaf behind `leaf` with a bound of `need` or more, or -1. */
  private leafAfter(leaf: number, need: number): number {
    const bounds = this.bounds;
    // Up to the first right-hand sibling with such a bound, then down.
    for (let entry = leaf + this.firstLeaf; entry >= 0; entry = (entry >> 2) - 1) {
      for (let right = entry + 1; (right & 3) !== 0; right++) {
        if (bounds[right] >= need) return this.leafBelow(right, need);
      }
    }
    return -1;
  }

  /** The first leaf below an entry, -1 for all, with a bound of `need` or more; there must be one. */
  private leafBelow(above: number, need: number): number {
    const bounds = this.bounds;
    const firstLeaf = this.firstLeaf;
    let entry = above;
    while (entry < firstLeaf) {
      const node = entry * 4 + 4;
      // The sign of a difference passes a child by: no branch to mispredict.
      const skip0 = (bounds[node] - need) >> 31;
      const skip1 = skip0 & ((bounds[node + 1] - need) >> 31);
      const skip2 = skip1 & ((bounds[node + 2] - need) >> 31);
      entry = node - skip0 - skip1 - skip2;
    }
    return entry - firstLeaf;
  }

  /** The first block large enough in the places of a leaf that `mask` leaves, or -1. */
  private firstIn(leaf: number, mask: number, need: number): number {
    const { sizes } = this;
    const base = leaf << LEAF_SHIFT;
    for (let rest = this.starts[leaf] & mask; rest !== 0; rest &= rest - 1) {
      const at = base + lowestBit(rest);
      if (sizes.sizeAt(at) >= need) return at;
    }
    return -1;
  }

  private largestIn(leaf: number): number {
    const { sizes } = this;
    const base = leaf << LEAF_SHIFT;
    let largest = 0;
    for (let rest = this.starts[leaf]; rest !== 0; rest &= rest - 1) {
      largest = larger(largest, sizes.sizeAt(base + lowestBit(rest)));
    }
    return largest;
  }

  /** Makes all bounds exact. */
  private sumUp(): void {
    const { bounds, firstLeaf, starts } = this;
    for (let leaf = 0; leaf < starts.length; leaf++) bounds[firstLeaf + leaf] = this.largestIn(leaf);
    for (let entry = bounds.length - 1; entry >= 4; entry--) {
      const up = (entry >> 2) - 1;
      bounds[up] = larger(bounds[up], bounds[entry]);
    }
  }
}
