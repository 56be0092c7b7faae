/** The number of members below a place, in O(log places). */

/** Places in a leaf, and entries in a node of the tree over the leaves, as powers of two. */
const LEAF_SHIFT = 5;
const NODE_SHIFT = 4;
const SIBLINGS = (1 << NODE_SHIFT) - 1;

/** Members that are as many leaves apart or fewer are counted one leaf after the other. */
const NEAR = 16;

/** The number of bits set in a word. */
export function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * A set of places with order statistics: a bit for each place, and over each 32 of them, each 16 times as many, and so
 * on a count.
 */
export class RankTree {
  private bits: Int32Array;
  /** Counts of all levels, the leaves' first; the last level has at most 16. */
  private counts: Int32Array;
  /** Where each level starts in `counts`, and how many levels there are. */
  private readonly offset: Int32Array;
  private levels: number;

  constructor() {
    this.bits = new Int32Array(0);
    this.counts = new Int32Array(0);
    this.offset = new Int32Array(8);
    this.levels = 0;
    this.grow(64);
  }

  add(place: number): void {
    this.bits[place >>> LEAF_SHIFT] |= 1 << (place & 31);
    this.count(place >>> LEAF_SHIFT, 1);
  }

  remove(place: number): void {
    this.bits[place >>> LEAF_SHIFT] &= ~(1 << (place & 31));
    this.count(place >>> LEAF_SHIFT, -1);
  }

  move(from: number, to: number): void {
    const { bits, counts, offset } = this;
    let source = from >>> LEAF_SHIFT;
    let target = to >>> LEAF_SHIFT;
    bits[source] &= ~(1 << (from & 31));
    bits[target] |= 1 << (to & 31);
    for (let level = 0; source !== target; level++) {
      counts[offset[level] + source] -= 1;
      counts[offset[level] + target] += 1;
      source >>>= NODE_SHIFT;
      target >>>= NODE_SHIFT;
    }
  }

  /** How many members lie below `place`. */
  rank(place: number): number {
    const { bits, counts, offset, levels } = this;
    let entry = place >>> LEAF_SHIFT;
    let below = ones(bits[entry] & ~(-1 << (place & 31)));
    for (let level = 0; level < levels; level++) {
      const at = offset[level];
      for (let sibling = entry & ~SIBLINGS; sibling < entry; sibling++) below += counts[at + sibling];
      entry >>>= NODE_SHIFT;
    }
    return below;
  }

  /** How many members there are from `from` to `to`, which is one. */
  between(from: number, to: number): number {
    const first = from >>> LEAF_SHIFT;
    const last = to >>> LEAF_SHIFT;
    if (last - first > NEAR) return this.rank(to) + 1 - this.rank(from);
    const { bits } = this;
    let below = ones(bits[last] & ~(-2 << (to & 31)));
    for (let leaf = first; leaf < last; leaf++) below += ones(bits[leaf]);
    return below - ones(bits[first] & ~(-1 << (from & 31)));
  }

  /** Forgets all members; now they are the places of a column that are not 0. */
  refill(column: Int32Array): void {
    this.bits = new Int32Array(0);
    this.grow(column.length);
    for (let place = 0; place < column.length; place++) {
      if (column[place] !== 0) this.bits[place >>> LEAF_SHIFT] |= 1 << (place & 31);
    }
    this.sumUp();
  }

  /** Makes room for places below `capacity`. */
  grow(capacity: number): void {
    const leaves = Math.ceil(capacity / 32);
    if (leaves <= this.bits.length) return;
    const bits = new Int32Array(leaves);
    bits.set(this.bits);
    this.bits = bits;
    let total = 0;
    let size = leaves;
    for (this.levels = 0; ; size = Math.ceil(size / (SIBLINGS + 1))) {
      this.offset[this.levels++] = total;
      total += size;
      if (size <= SIBLINGS + 1) break;
    }
    this.counts = new Int32Array(total);
    this.sumUp();
  }

  private sumUp(): void {
    const { bits, counts, offset, levels } = this;
    for (let leaf = 0; leaf < bits.length; leaf++) counts[leaf] = ones(bits[leaf]);
    for (let level = 1; level < levels; level++) {
      const end = level + 1 < levels ? offset[level + 1] : counts.length;
      counts.fill(0, offset[level], end);
      for (let entry = offset[level - 1]; entry < offset[level]; entry++) {
        counts[offset[level] + ((entry - offset[level - 1]) >>> NODE_SHIFT)] += counts[entry];
      }
    }
  }

  private count(leaf: number, by: number): void {
    const { counts, offset, levels } = this;
    let entry = leaf;
    for (let level = 0; level < levels; level++) {
      counts[offset[level] + entry] += by;
      entry >>>= NODE_SHIFT;
    }
  }
}
