import { Bitset } from "../../memory/bitset.js";
import type { PlaceList, Suits } from "./free-list.js";
import { PairingHeaps } from "./pairing-heaps.js";
import { RankTree } from "./rank-tree.js";

/**
 * Best and worst fit: the first block of the list among the smallest that are long enough, or among the largest. A set of
 * the sizes that occur, and for each a heap of the places of its blocks, find it in O(log n).
 *
 * Hops of the textbook's walk: best fit stops at a block of exactly the size wanted, of which a rank tree knows the place
 * in the list, else it looks at all; worst fit always looks at all, and needs no ranks.
 */
export class SizeList implements PlaceList {
  hops: number;
  rover: number;
  private readonly best: boolean;
  private readonly sizes: Bitset;
  private readonly heaps: PairingHeaps;
  private readonly ranks: RankTree;
  /** The heap node of the block at each place. */
  private nodeOf: Int32Array;
  private count: number;

  constructor(fit: "best" | "worst", places: number) {
    this.hops = 0;
    this.rover = 0;
    this.best = fit === "best";
    this.sizes = new Bitset();
    this.heaps = new PairingHeaps();
    this.ranks = new RankTree();
    this.nodeOf = new Int32Array(0);
    this.count = 0;
    this.reach(places);
  }

  find(need: number): number {
    this.hops = this.count;
    const size = this.best ? this.sizes.next(need) : this.sizes.last();
    if (size < need) return -1;
    const place = this.heaps.least(size);
    if (this.best && size === need) this.hops = this.ranks.rank(place) + 1;
    return place;
  }

  findSuitable(need: number, suits: Suits): number {
    const { best, sizes } = this;
    const holds = (place: number): boolean => suits.suits(place);
    this.hops = this.count;
    for (let size = best ? sizes.next(need) : sizes.last(); size >= need; ) {
      const place = this.heaps.leastWhere(size, holds);
      if (place >= 0) {
        if (best && size === need) this.hops = this.ranks.rank(place) + 1;
        return place;
      }
      size = best ? sizes.next(size + 1) : sizes.before(size);
    }
    return -1;
  }

  rove(): void {}

  insert(at: number, size: number): void {
    this.addSize(at, size);
    if (this.best) this.ranks.add(at);
    this.count++;
  }

  remove(at: number, size: number): void {
    this.removeSize(at, size);
    if (this.best) this.ranks.remove(at);
    this.count--;
  }

  extend(at: number, before: number, size: number): void {
    this.removeSize(at, before);
    this.addSize(at, size);
  }

  shorten(at: number, before: number, size: number): void {
    this.removeSize(at, before);
    this.addSize(at, size);
  }

  move(from: number, before: number, to: number, size: number): void {
    this.removeSize(from, before);
    this.addSize(to, size);
    if (this.best) this.ranks.move(from, to);
  }

  grow(places: number): void {
    this.reach(places);
  }

  renumber(before: Int32Array, after: Int32Array): void {
    const old = this.nodeOf;
    this.nodeOf = new Int32Array(after.length);
    this.ranks.clear();
    this.ranks.grow(after.length);
    let from = 0;
    for (let to = 0; to < after.length; to++) {
      if (after[to] === 0) continue;
      while (before[from] === 0) from++;
      const node = old[from++];
      this.heaps.rename(node, to);
      this.nodeOf[to] = node;
      if (this.best) this.ranks.add(to);
    }
  }

  private addSize(at: number, size: number): void {
    if (this.heaps.isEmpty(size)) this.sizes.set(size);
    this.nodeOf[at] = this.heaps.add(size, at);
  }

  private removeSize(at: number, size: number): void {
    this.heaps.remove(size, this.nodeOf[at]);
    if (this.heaps.isEmpty(size)) this.sizes.clear(size);
  }

  private reach(places: number): void {
    const nodeOf = new Int32Array(places);
    nodeOf.set(this.nodeOf);
    this.nodeOf = nodeOf;
    if (this.best) this.ranks.grow(places);
  }
}
