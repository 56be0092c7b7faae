import { Bitset } from "../../memory/bitset.js";
import type { PlaceList, Suits } from "./free-list.js";
import { PairingHeaps } from "./pairing-heaps.js";
import { RankTree } from "./rank-tree.js";

/**
 * Best fit: the first block of the list among the smallest that are long enough. A set of the sizes that occur, and for
 * each a heap of the places of its blocks, find it in O(log n).
 *
 * The textbook's walk stops at a block of exactly the size wanted, of which a rank tree knows the place in the list, else
 * it looks at all.
 */
export class SizeList implements PlaceList {
  hops: number;
  rover: number;
  private readonly sizes: Bitset;
  private readonly heaps: PairingHeaps;
  private readonly ranks: RankTree;
  /** The heap node of the block at each place. */
  private nodeOf: Int32Array;
  private count: number;

  constructor(places: number) {
    this.hops = 0;
    this.rover = 0;
    this.sizes = new Bitset();
    this.heaps = new PairingHeaps();
    this.ranks = new RankTree();
    this.nodeOf = new Int32Array(0);
    this.count = 0;
    this.reach(places);
  }

  find(need: number): number {
    this.hops = this.count;
    const size = this.sizes.next(need);
    if (size < need) return -1;
    const place = this.heaps.least(size);
    if (size === need) this.hops = this.ranks.rank(place) + 1;
    return place;
  }

  findSuitable(need: number, suits: Suits): number {
    const { sizes } = this;
    const holds = (place: number): boolean => suits.suits(place);
    this.hops = this.count;
    for (let size = sizes.next(need); size >= need; size = sizes.next(size + 1)) {
      const place = this.heaps.leastWhere(size, holds);
      if (place >= 0) {
        if (size === need) this.hops = this.ranks.rank(place) + 1;
        return place;
      }
    }
    return -1;
  }

  rove(): void {}

  insert(at: number, size: number): void {
    this.addSize(at, size);
    this.ranks.add(at);
    this.count++;
  }

  remove(at: number, size: number): void {
    this.removeSize(at, size);
    this.ranks.remove(at);
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
    this.ranks.move(from, to);
  }

  grow(places: number): void {
    this.reach(places);
  }

  renumber(before: Int32Array, after: Int32Array): void {
    const old = this.nodeOf;
    this.nodeOf = new Int32Array(after.length);
    let from = 0;
    for (let to = 0; to < after.length; to++) {
      if (after[to] === 0) continue;
      while (before[from] === 0) from++;
      const node = old[from++];
      this.heaps.rename(node, to);
      this.nodeOf[to] = node;
    }
    this.ranks.refill(after);
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
    this.ranks.grow(places);
  }
}
