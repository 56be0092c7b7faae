/**
 * The bins of a dlmalloc heap (malloc.c 2.8.6: insert_chunk, unlink_chunk, tmalloc_small, tmalloc_large).
 * Sizes and positions are in granules of 16 bytes.
 */
import { Cost, type Costs } from "../../memory/costs.js";
import { type LeaChunks, MIN_CHUNK } from "../lea-chunks.js";

/** Smallest chunk in a tree (256 bytes), in granules. */
export const FIRST_TREE = 16;
/** The heads of the small bins lie below this position, two links each. */
export const FIRST_POSITION = 256;
const TREES = 32;
/** What a root has for a parent; chunks that hang on one of their size have none, 0. */
const ROOT = -1;

/** The tree for chunks of `size` granules (compute_tree_index): two to a doubling, the last from 12 MiB on. */
export function treeOf(size: number): number {
  const x = size >> 4;
  if (x > 0xffff) return TREES - 1;
  const lg = 31 - Math.clz32(x);
  return (lg << 1) + ((size >> (lg + 3)) & 1);
}

/** The bit of a size that decides at a tree's root (leftshift_for_tree_index): in the last tree all bits count. */
function rootBit(tree: number): number {
  return tree === TREES - 1 ? 59 : (tree >> 1) + 2;
}

function bitOf(size: number, bit: number): number {
  return bit > 30 ? 0 : (size >> bit) & 1;
}

/** The free chunks: a list for each small size, and bitwise tries for larger ones. */
export class Bins {
  /** Their links; in a tree also the children at p + 2 and p + 3, the parent at p + 4. */
  private readonly chunks: LeaChunks;
  private readonly roots: Int32Array;
  private readonly costs: Costs;
  /** A bit for each small size, and each tree, that has chunks. */
  private smallMap: number;
  private treeMap: number;

  constructor(chunks: LeaChunks, costs: Costs) {
    this.chunks = chunks;
    this.roots = new Int32Array(TREES);
    this.costs = costs;
    this.smallMap = 0;
    this.treeMap = 0;
    const { link } = chunks;
    for (let size = MIN_CHUNK; size < FIRST_TREE; size++) link[2 * size] = link[2 * size + 1] = 2 * size;
  }

  /** Puts a chunk that is marked free into its bin: first of its size. */
  insert(at: number): void {
    const size = -this.chunks.head[at];
    if (size >= FIRST_TREE) {
      this.insertInTree(at, size);
      return;
    }
    const { link } = this.chunks;
    const first = link[2 * size];
    link[at] = first;
    link[at + 1] = 2 * size;
    link[2 * size] = at;
    link[first + 1] = at;
    this.smallMap |= 1 << size;
  }

  /** Takes a chunk out of its bin. It stays marked free. */
  unlink(at: number): void {
    const size = -this.chunks.head[at];
    if (size >= FIRST_TREE) this.unlinkFromTree(at, size);
    else this.unlinkSmall(at, size);
  }

  /** Unlinks the chunk freed last of exactly a small size; 0 where there is none. */
  takeExact(size: number): number {
    return ((this.smallMap >> size) & 1) === 0 ? 0 : this.takeSmall(size);
  }

  /** Unlinks the chunk freed last of the next larger small size; 0 where there is none. */
  takeNextSmall(size: number): number {
    const larger = this.smallMap & (-2 << size);
    return larger === 0 ? 0 : this.takeSmall(31 - Math.clz32(larger & -larger));
  }

  /** Unlinks the smallest chunk of the trees, for a small request; 0 where they are empty. */
  takeSmallestTree(): number {
    if (this.treeMap === 0) return 0;
    const at = this.smallestOf(this.roots[31 - Math.clz32(this.treeMap & -this.treeMap)], 0, 0);
    this.unlink(at);
    return at;
  }

  /**
   * Unlinks the smallest chunk of at least `need` granules in the trees, but only where it is smaller than `limit`
   * granules. Returns 0 where there is none.
   */
  takeBest(need: number, limit: number): number {
    const tree = treeOf(need);
    let best = 0;
    let rest = this.roots[tree];
    if (rest !== 0) {
      const { head, link } = this.chunks;
      let at = rest;
      let largerThan = 0;
      let hops = 0;
      for (let bit = rootBit(tree); at !== 0; bit--) {
        const size = -head[at];
        hops++;
        if (size >= need && (best === 0 || size < -head[best])) {
          best = at;
          if (size === need) break;
        }
        const right = link[at + 3];
        const next = link[at + 2 + bitOf(need, bit)];
        if (right !== 0 && right !== next) largerThan = right;
        at = next;
      }
      this.costs[Cost.listHops] += hops;
      rest = best !== 0 && -head[best] === need ? 0 : largerThan;
    }
    if (rest === 0 && best === 0) {
      const larger = tree === TREES - 1 ? 0 : this.treeMap & (-2 << tree);
      if (larger !== 0) rest = this.roots[31 - Math.clz32(larger & -larger)];
    }
    if (rest !== 0) best = this.smallestOf(rest, best, need);
    if (best === 0 || -this.chunks.head[best] >= limit) return 0;
    this.unlink(best);
    return best;
  }

  /** The smallest of `best`, if any, and the chunks of a subtree down its leftmost path, that has `need` granules. */
  private smallestOf(root: number, best: number, need: number): number {
    const { head, link } = this.chunks;
    let found = best;
    let hops = 0;
    for (let at = root; at !== 0; at = link[at + 2] !== 0 ? link[at + 2] : link[at + 3]) {
      hops++;
      if (-head[at] >= need && (found === 0 || head[at] > head[found])) found = at;
    }
    this.costs[Cost.listHops] += hops;
    return found;
  }

  private takeSmall(size: number): number {
    const at = this.chunks.link[2 * size];
    this.costs[Cost.listHops] += 1;
    this.unlinkSmall(at, size);
    return at;
  }

  private unlinkSmall(at: number, size: number): void {
    const { link } = this.chunks;
    const fd = link[at];
    const bk = link[at + 1];
    link[fd + 1] = bk;
    link[bk] = fd;
    if (fd === bk && fd === 2 * size) this.smallMap &= ~(1 << size);
  }

  private insertInTree(at: number, size: number): void {
    const { roots } = this;
    const { head, link } = this.chunks;
    const tree = treeOf(size);
    link[at + 2] = link[at + 3] = 0;
    link[at] = link[at + 1] = at;
    if (roots[tree] === 0) {
      roots[tree] = at;
      link[at + 4] = ROOT;
      this.treeMap |= 1 << tree;
      return;
    }
    let node = roots[tree];
    let hops = 1;
    for (let bit = rootBit(tree); -head[node] !== size; bit--) {
      const child = node + 2 + bitOf(size, bit);
      if (link[child] === 0) {
        link[child] = at;
        link[at + 4] = node;
        this.costs[Cost.listHops] += hops;
        return;
      }
      node = link[child];
      hops++;
    }
    this.costs[Cost.listHops] += hops;
    const fd = link[node];
    link[node] = at;
    link[fd + 1] = at;
    link[at] = fd;
    link[at + 1] = node;
    link[at + 4] = 0;
  }

  private unlinkFromTree(at: number, size: number): void {
    const { link } = this.chunks;
    const parent = link[at + 4];
    let heir = 0;
    if (link[at + 1] !== at) {
      const fd = link[at];
      heir = link[at + 1];
      link[fd + 1] = heir;
      link[heir] = fd;
    } else {
      heir = this.cutLeaf(at);
    }
    if (parent === 0) return;
    if (parent === ROOT) {
      const tree = treeOf(size);
      this.roots[tree] = heir;
      if (heir === 0) this.treeMap &= ~(1 << tree);
    } else if (link[parent + 2] === at) link[parent + 2] = heir;
    else link[parent + 3] = heir;
    if (heir === 0) return;
    link[heir + 4] = parent;
    for (const side of [2, 3]) {
      const child = link[at + side];
      link[heir + side] = child;
      if (child !== 0) link[child + 4] = heir;
    }
  }

  /** Cuts the leaf at the end of the rightmost path below a node off, to take its place; 0 where it is a leaf itself. */
  private cutLeaf(at: number): number {
    const { link } = this.chunks;
    let slot = link[at + 3] !== 0 ? at + 3 : at + 2;
    if (link[slot] === 0) return 0;
    for (;;) {
      const node = link[slot];
      if (link[node + 3] !== 0) slot = node + 3;
      else if (link[node + 2] !== 0) slot = node + 2;
      else {
        link[slot] = 0;
        return node;
      }
    }
  }
}
