import { grown } from "../../memory/columns.js";
import type { Sizes } from "./sizes.js";
import * as treeRecords from "./tree-records.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const { larger, lowestBit, wordOf, sumUp } = treeRecords;

const LEAF_SHIFT = 5;
/** Where the records of nodes start: multiples of 8. */
const NODE_MASK = 0x7ffffff8;

/**
 * Free blocks in the order of their places, positions in the heap, with exact first fit in O(log places).
 *
 * A leaf covers 32 places and holds one word: bit `i % 32` is set where a free block has place `i`. A tree over the
 * leaves, four children to a node, knows for each subtree the largest free block in it and the number of free blocks, so
 * that one descent finds a block and its place in the textbook's linked list.
 *
 * The tree is implicit and complete. Node `g`, 0 is the root, is a record of eight words, half a cache line: the largest
 * blocks in its four children, then their numbers of blocks. Child `j` of node `g` is entry e = 4g + j of the tree; if it
 * is not a leaf, it is node e + 1. So the entry of node `g` in its parent is g - 1, and the root has none.
 */

/**
 * The set of free blocks. Places and sizes (in granules) are below 2^31. The sizes stay where the owner keeps them:
 * `sizes` must know that of each block in the set whenever a method runs.
 */
export class PlaceTree {
  /**
   * The hops of a walk along the list to what was found last: the blocks before it, and that one; where nothing was
   * found, all blocks.
   */
  hops: number;
  private readonly sizes: Sizes;
  private starts: Int32Array;
  private nodes: Int32Array;
  /** Entry of the first leaf. */
  private firstLeaf: number;

  /** An empty set over the places of `sizes`. */
  constructor(sizes: Sizes) {
    this.hops = 0;
    this.sizes = sizes;
    this.starts = new Int32Array(0);
    this.nodes = new Int32Array(8);
    this.firstLeaf = 0;
    this.grow();
  }

  /** The number of blocks. */
  count(): number {
    const nodes = this.nodes;
    return nodes[4] + nodes[5] + nodes[6] + nodes[7];
  }

  /** The sizes have become longer. */
  grow(): void {
    const leaves = this.sizes.length >>> LEAF_SHIFT;
    while (this.firstLeaf * 3 + 4 < leaves) this.addLevel();
    // One for each leaf of the tree, which may be more.
    this.starts = grown(this.starts, this.firstLeaf * 3 + 4);
  }

  /** The lowest block of at least `need` granules, or -1. Sets `hops`. */
  first(need: number): number {
    const nodes = this.nodes;
    const firstLeaf = this.firstLeaf;
    let hops = 1;
    let entry = -1;
    // While no child so far holds a block large enough, the signs of the differences add its count and pass it by: no
    // branch to mispredict. Where no block is, this leads to the last leaf, having passed all others.
    do {
      // The mask, which changes nothing, tells V8 that indices are not negative.
      const node = ((entry << 3) + 8) & NODE_MASK;
      const skip0 = (nodes[node] - need) >> 31;
      const skip1 = skip0 & ((nodes[node + 1] - need) >> 31);
      const skip2 = skip1 & ((nodes[node + 2] - need) >> 31);
      hops = (hops + (nodes[node + 4] & skip0) + (nodes[node + 5] & skip1) + (nodes[node + 6] & skip2)) | 0;
      entry = ((node >> 1) - skip0 - skip1 - skip2) | 0;
    } while (entry < firstLeaf);
    const leaf = (entry - firstLeaf) | 0;
    const sizes = this.sizes;
    let rest = this.starts[leaf];
    while (rest !== 0) {
      const at = (leaf << LEAF_SHIFT) | lowestBit(rest);
      if (sizes.sizeAt(at) >= need) {
        this.hops = hops;
        return at;
      }
      hops = (hops + 1) | 0;
      rest &= rest - 1;
    }
    this.hops = hops - 1;
    return -1;
  }

  /** The lowest block of at least `need` granules whose place is after `at`, or -1. Goes on with `hops`. */
  next(at: number, need: number): number {
    return this.search(at, -2 << (at & 31), need);
  }

  /** The lowest block of at least `need` granules whose place is `at` or after it, or -1. Goes on with `hops`. */
  from(at: number, need: number): number {
    return this.search(at, -1 << (at & 31), need);
  }

  insert(at: number, size: number): void {
    const leaf = at >>> LEAF_SHIFT;
    this.starts[leaf] |= 1 << at;
    this.add(leaf, size);
  }

  /** Takes out the block at `at`, which has `size` granules. */
  remove(at: number, size: number): void {
    this.cut(at, size, at, 0);
  }

  /** The block at `at` has grown to `size` granules at its upper end. */
  extend(at: number, size: number): void {
    this.raise(at >>> LEAF_SHIFT, size);
  }

  /** The block at `at` has shrunk from `before` granules at its upper end. */
  shorten(at: number, before: number): void {
    this.lower(at >>> LEAF_SHIFT, before, 0);
  }

  /** Of the block at `at` of `size` granules the `rest` is left, at `to`: none with 0. */
  cut(at: number, size: number, to: number, rest: number): void {
    const starts = this.starts;
    const leaf = at >>> LEAF_SHIFT;
    starts[leaf] ^= 1 << at;
    if (rest !== 0) {
      const target = to >>> LEAF_SHIFT;
      starts[target] |= 1 << to;
      if (target !== leaf) {
        this.shift(leaf, target);
        this.raise(target, rest);
      }
    }
    this.lower(leaf, size, rest === 0 ? -1 : 0);
  }

  /** The `size` granules at `at` have become free, joined with a block of `before` in front and one of `after` behind. */
  join(at: number, size: number, before: number, after: number): void {
    const starts = this.starts;
    const start = (at - before) | 0;
    const next = (at + size) | 0;
    const leaf = start >>> LEAF_SHIFT;
    const source = next >>> LEAF_SHIFT;
    starts[leaf] |= 1 << start;
    if ((before | after) === 0) {
      this.add(leaf, size);
      return;
    }
    if (after !== 0) {
      starts[source] ^= 1 << next;
      if (before !== 0) this.tally((source + this.firstLeaf) | 0, -1);
      else if (source !== leaf) this.shift(source, leaf);
    }
    this.raise(leaf, (before + size + after) | 0);
    if (after !== 0 && source !== leaf) this.lower(source, after, 0);
  }

  /** The lowest block large enough in the places of the leaf of `at` that `mask` leaves, or behind the leaf. */
  private search(at: number, mask: number, need: number): number {
    let leaf = at >>> LEAF_SHIFT;
    let found = this.firstIn(leaf, mask, need);
    while (found < 0) {
      leaf = this.leafAfter(leaf, need);
      if (leaf < 0) return -1;
      found = this.firstIn(leaf, -1, need);
    }
    return found;
  }

  /** The lowest block large enough in the places of a leaf that `mask` leaves, or -1. Goes on with `hops`. */
  private firstIn(leaf: number, mask: number, need: number): number {
    const { sizes } = this;
    const base = leaf << LEAF_SHIFT;
    for (let rest = this.starts[leaf] & mask; rest !== 0; rest &= rest - 1) {
      this.hops++;
      const at = base + lowestBit(rest);
      if (sizes.sizeAt(at) >= need) return at;
    }
    return -1;
  }

  /** A leaf has one more block, of `size` granules. */
  private add(leaf: number, size: number): void {
    const nodes = this.nodes;
    // Counts change up to the root. Not to look where maxima stop changing saves a branch that is often mispredicted.
    for (let entry = (leaf + this.firstLeaf) | 0; entry >= 0; entry = ((entry >> 2) - 1) | 0) {
      const word = wordOf(entry);
      const more = (word + 4) | 0;
      nodes[word] = larger(nodes[word], size);
      nodes[more] = nodes[more] + 1;
    }
  }

  /** An entry and those above it have `more` blocks more. */
  private tally(from: number, more: number): void {
    const nodes = this.nodes;
    for (let entry = from; entry >= 0; entry = ((entry >> 2) - 1) | 0) {
      const word = (wordOf(entry) + 4) | 0;
      nodes[word] = nodes[word] + more;
    }
  }

  /** The first leaf behind `leaf` with a block large enough, or -1; `hops` counts the blocks between. */
  private leafAfter(leaf: number, need: number): number {
    // Up to the first right-hand sibling that holds a block large enough, then down.
    for (let entry = leaf + this.firstLeaf; entry >= 0; entry = (entry >> 2) - 1) {
      for (let right = entry + 1; (right & 3) !== 0; right++) {
        if (this.holds(right, need)) return this.leafBelow(right, need);
      }
    }
    return -1;
  }

  /** The first leaf with a block large enough in a subtree that has one. */
  private leafBelow(entry: number, need: number): number {
    let below = entry;
    while (below < this.firstLeaf) {
      below = below * 4 + 4;
      while (!this.holds(below, need)) below++;
    }
    return below - this.firstLeaf;
  }

  /** Whether a subtree holds a block large enough; if not, `hops` passes its blocks. */
  private holds(entry: number, need: number): boolean {
    const word = wordOf(entry);
    if (this.nodes[word] >= need) return true;
    this.hops += this.nodes[word + 4];
    return false;
  }

  /** A block has moved from one leaf to another. */
  private shift(source: number, target: number): void {
    const nodes = this.nodes;
    let from = (source + this.firstLeaf) | 0;
    let to = (target + this.firstLeaf) | 0;
    while (from !== to) {
      const less = (wordOf(from) + 4) | 0;
      const more = (wordOf(to) + 4) | 0;
      nodes[less] = nodes[less] - 1;
      nodes[more] = nodes[more] + 1;
      from = ((from >> 2) - 1) | 0;
      to = ((to >> 2) - 1) | 0;
    }
  }

  /** There is a block of `size` granules in a leaf. */
  private raise(leaf: number, size: number): void {
    const nodes = this.nodes;
    for (let entry = (leaf + this.firstLeaf) | 0; entry >= 0; entry = ((entry >> 2) - 1) | 0) {
      const word = wordOf(entry);
      if (nodes[word] >= size) return;
      nodes[word] = size;
    }
  }

  /**
   * A block of `before` granules has left a leaf or shrunk: new maxima up to the first entry that stays as it is. All
   * entries have `more` blocks more.
   */
  private lower(leaf: number, before: number, more: number): void {
    const nodes = this.nodes;
    let entry = (leaf + this.firstLeaf) | 0;
    let word = wordOf(entry);
    let largest = nodes[word] === before ? this.largestIn(leaf) : before;
    while (largest !== before) {
      const count = (word + 4) | 0;
      nodes[word] = largest;
      nodes[count] = nodes[count] + more;
      if (entry < 4) return;
      entry = ((entry >> 2) - 1) | 0;
      const above = wordOf(entry);
      // Another block was the largest there.
      if (nodes[above] !== before) break;
      largest = larger(largest, larger(nodes[word ^ 1], larger(nodes[word ^ 2], nodes[word ^ 3])));
      word = above;
    }
    if (more !== 0) this.tally(entry, more);
  }

  /** Puts a root above the tree, which becomes its first child: four times as many leaves. */
  private addLevel(): void {
    const old = this.nodes;
    this.nodes = new Int32Array(old.length * 4 + 8);
    // Level by level: the nodes of one follow those of the level above.
    for (let from = 0, width = 8; from < old.length; from += width, width *= 4) {
      this.nodes.set(old.subarray(from, from + width), from * 4 + 8);
    }
    this.firstLeaf = this.firstLeaf * 4 + 4;
    sumUp(this.nodes, 0);
  }

  private largestIn(leaf: number): number {
    const sizes = this.sizes;
    const base = leaf << LEAF_SHIFT;
    let largest = 0;
    for (let rest = this.starts[leaf]; rest !== 0; rest &= rest - 1) {
      largest = larger(largest, sizes.sizeAt(base | lowestBit(rest)));
    }
    return largest;
  }
}
