/**
 * Free blocks of a contiguous heap in address order, with exact first fit in O(log heap).
 *
 * A leaf covers 32 granules and holds one word: bit `i` is set where a free block starts at granule `i` of the leaf. An
 * implicit binary tree over the leaves holds, for each subtree, the largest free block that starts in it and the number
 * of free blocks, so that one descent finds a block and its place in the textbook's linked list.
 */

/** Granules in a leaf, as a power of two. */
const LEAF_SHIFT = 5;

/** Index of the lowest set bit of a word that is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * The set of free blocks. Positions and sizes are granules, below 2^31. The sizes stay where boundary tags keep them:
 * `sizes[at]` must hold the size of each block in the set whenever a method runs.
 */
export class FreeIndex {
  /**
   * The hops of a walk along the list to what `first` or `next` found last: the blocks before it, and that one; where
   * nothing was found, all blocks.
   */
  hops: number;
  private sizes: Int32Array;
  /** Leaves in the tree: a power of two. */
  private leaves: number;
  private starts: Int32Array;
  /**
   * Two entries for each node: the largest block, and the number of blocks. Node `i` has children `2i` and `2i + 1`;
   * leaf `l` is node `leaves + l`.
   */
  private nodes: Int32Array;

  /** An empty set over positions below `sizes.length`, which must be a power of two, at least 64. */
  constructor(sizes: Int32Array) {
    this.hops = 0;
    this.sizes = sizes;
    this.leaves = sizes.length >>> LEAF_SHIFT;
    this.starts = new Int32Array(this.leaves);
    this.nodes = new Int32Array(this.leaves * 4);
  }

  /** Replaces the column of sizes by a longer copy of it: its length is a power of two. */
  grow(sizes: Int32Array): void {
    const old = this.leaves;
    const leaves = sizes.length >>> LEAF_SHIFT;
    this.sizes = sizes;
    this.leaves = leaves;
    const starts = new Int32Array(leaves);
    starts.set(this.starts);
    this.starts = starts;
    const nodes = new Int32Array(leaves * 4);
    // Level by level: the old tree is the leftmost subtree, and the nodes above it repeat its root.
    for (let width = old * 2, to = leaves * 2; width >= 2; width /= 2, to /= 2) {
      nodes.set(this.nodes.subarray(width, width * 2), to);
    }
    for (let i = leaves / old; i > 1; i /= 2) nodes.copyWithin(i, i * 2, i * 2 + 2);
    this.nodes = nodes;
  }

  /** The lowest block of at least `need` granules, or -1. Sets `hops`. */
  first(need: number): number {
    const nodes = this.nodes;
    if (nodes[2] < need) {
      this.hops = nodes[3];
      return -1;
    }
    const end = this.leaves * 2;
    let hops = 1;
    let i = 2;
    // Where the left subtree holds no block large enough, the sign of the difference adds its count and takes the right
    // one: no branch to mispredict.
    while (i < end) {
      i += i;
      const skip = (nodes[i] - need) >> 31;
      hops += nodes[i + 1] & skip;
      i += skip & 2;
    }
    const leaf = (i - end) >>> 1;
    const sizes = this.sizes;
    const base = leaf << LEAF_SHIFT;
    let rest = this.starts[leaf];
    let at = base + lowestBit(rest);
    while (sizes[at] < need) {
      hops++;
      rest &= rest - 1;
      at = base + lowestBit(rest);
    }
    this.hops = hops;
    return at;
  }

  /** The lowest block of at least `need` granules that starts after the block at `at`, or -1. Goes on with `hops`. */
  next(at: number, need: number): number {
    const sizes = this.sizes;
    let leaf = at >>> LEAF_SHIFT;
    let rest = this.starts[leaf] & (-2 << (at & 31));
    for (;;) {
      for (; rest !== 0; rest &= rest - 1) {
        this.hops++;
        const candidate = (leaf << LEAF_SHIFT) + lowestBit(rest);
        if (sizes[candidate] >= need) return candidate;
      }
      leaf = this.leafAfter(leaf, need);
      if (leaf < 0) return -1;
      rest = this.starts[leaf];
    }
  }

  insert(at: number, size: number): void {
    const leaf = at >>> LEAF_SHIFT;
    this.starts[leaf] |= 1 << (at & 31);
    const nodes = this.nodes;
    // Counts change up to the root. Not to look where maxima stop changing saves a branch that is often mispredicted.
    for (let i = (leaf + this.leaves) * 2; i > 0; i = (i >>> 1) & -2) {
      nodes[i] = larger(nodes[i], size);
      nodes[i + 1] += 1;
    }
  }

  /** Takes out the block at `at`, which has `size` granules. */
  remove(at: number, size: number): void {
    const leaf = at >>> LEAF_SHIFT;
    this.starts[leaf] &= ~(1 << (at & 31));
    const nodes = this.nodes;
    let i = (leaf + this.leaves) * 2;
    let largest = nodes[i] === size ? this.largestIn(leaf) : nodes[i];
    nodes[i] = largest;
    nodes[i + 1] -= 1;
    while (i > 2) {
      largest = larger(largest, nodes[i ^ 2]);
      i = (i >>> 1) & -2;
      nodes[i] = largest;
      nodes[i + 1] -= 1;
    }
  }

  /** The block at `at` has grown to `size` granules at its upper end. */
  extend(at: number, size: number): void {
    this.raise(at >>> LEAF_SHIFT, size);
  }

  /** The block at `at` has shrunk from `before` granules at its upper end. */
  shorten(at: number, before: number): void {
    this.lower(at >>> LEAF_SHIFT, before);
  }

  /** The block at `from` of `before` granules now starts at `to` and has `size`: its lower end was cut or extended. */
  move(from: number, before: number, to: number, size: number): void {
    const source = from >>> LEAF_SHIFT;
    const target = to >>> LEAF_SHIFT;
    this.starts[source] &= ~(1 << (from & 31));
    this.starts[target] |= 1 << (to & 31);
    if (source !== target) this.shift(source, target);
    if (source !== target || size < before) this.lower(source, before);
    this.raise(target, size);
  }

  /** The first leaf behind `leaf` with a block large enough, or -1; `hops` counts the blocks between. */
  private leafAfter(leaf: number, need: number): number {
    const nodes = this.nodes;
    const leaves = this.leaves;
    let i = leaf + leaves;
    // Up to the first right-hand neighbour that holds a block large enough, then down.
    for (; i > 1; i >>>= 1) {
      if ((i & 1) !== 0) continue;
      if (nodes[i * 2 + 2] >= need) break;
      this.hops += nodes[i * 2 + 3];
    }
    if (i <= 1) return -1;
    for (i += 1; i < leaves; ) {
      i *= 2;
      if (nodes[i * 2] >= need) continue;
      this.hops += nodes[i * 2 + 1];
      i += 1;
    }
    return i - leaves;
  }

  /** A block has moved from one leaf to another. */
  private shift(source: number, target: number): void {
    const nodes = this.nodes;
    let i = source + this.leaves;
    let k = target + this.leaves;
    for (; i !== k; i >>>= 1, k >>>= 1) {
      nodes[i * 2 + 1] -= 1;
      nodes[k * 2 + 1] += 1;
    }
  }

  private raise(leaf: number, size: number): void {
    const nodes = this.nodes;
    for (let i = (leaf + this.leaves) * 2; i > 0 && nodes[i] < size; i = (i >>> 1) & -2) nodes[i] = size;
  }

  /** A block of `before` granules has left a leaf or shrunk: new maxima up to the first node that stays as it is. */
  private lower(leaf: number, before: number): void {
    const nodes = this.nodes;
    let i = (leaf + this.leaves) * 2;
    if (nodes[i] !== before) return;
    let largest = this.largestIn(leaf);
    while (nodes[i] !== largest) {
      nodes[i] = largest;
      if (i === 2) return;
      largest = larger(largest, nodes[i ^ 2]);
      i = (i >>> 1) & -2;
    }
  }

  private largestIn(leaf: number): number {
    const sizes = this.sizes;
    const base = leaf << LEAF_SHIFT;
    let largest = 0;
    for (let rest = this.starts[leaf]; rest !== 0; rest &= rest - 1) {
      largest = larger(largest, sizes[base + lowestBit(rest)]);
    }
    return largest;
  }
}

/** Maximum of two granule counts without a branch: blocks come in no order that could be predicted. */
function larger(a: number, b: number): number {
  return a - ((a - b) & ((a - b) >> 31));
}
