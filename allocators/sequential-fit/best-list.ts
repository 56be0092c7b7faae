import { Bitset } from "../../memory/bitset.js";
import type { FreeList, PlaceList, Suits } from "./free-list.js";
import { RankTree } from "./rank-tree.js";
import { SizeHeaps } from "./size-heaps.js";
import type { Sizes } from "./sizes.js";

/**
 * Best fit: the first block of the list among the smallest that are long enough. A set of the sizes that occur, and for
 * each a heap of the places of its blocks, find it in O(log n) amortised.
 *
 * The textbook's walk stops at a block of exactly the size wanted, of which a rank tree knows the place in the list, else
 * it looks at all.
 */
export class BestList implements FreeList, PlaceList {
  hops: number;
  rover: number;
  private readonly store: Sizes;
  private readonly sizes: Bitset;
  private readonly heaps: SizeHeaps;
  private readonly ranks: RankTree;
  private count: number;

  constructor(store: Sizes) {
    this.hops = 0;
    this.rover = 0;
    this.store = store;
    this.sizes = new Bitset();
    this.heaps = new SizeHeaps(this);
    this.ranks = new RankTree();
    this.ranks.grow(store.length);
    this.count = 0;
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
    this.hops = this.count;
    for (let size = sizes.next(need); size >= need; size = sizes.next(size + 1)) {
      const place = this.heaps.leastWhere(size, (at) => suits.suits(at));
      if (place < 0) continue;
      if (size === need) this.hops = this.ranks.rank(place) + 1;
      return place;
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

  cut(at: number, size: number, to: number, rest: number): void {
    this.removeSize(at, size);
    if (rest === 0) {
      this.ranks.remove(at);
      this.count--;
    } else {
      this.addSize(to, rest);
      this.ranks.move(at, to);
    }
  }

  join(at: number, size: number, before: number, after: number): void {
    const start = (at - before) | 0;
    const next = (at + size) | 0;
    if (before !== 0) this.removeSize(start, before);
    if (after !== 0) this.removeSize(next, after);
    this.addSize(start, (before + size + after) | 0);
    if (before === 0) {
      if (after !== 0) this.ranks.move(next, at);
      else {
        this.ranks.add(at);
        this.count++;
      }
    } else if (after !== 0) {
      this.ranks.remove(next);
      this.count--;
    }
  }

  grow(places: number): void {
    this.ranks.grow(places);
  }

  renumber(): void {
    const { store } = this;
    this.ranks.refill(store);
    this.heaps.clear();
    for (let place = 0; place < store.length; place++) {
      const size = store.sizeAt(place);
      if (size !== 0) this.heaps.add(size, place);
    }
  }

  /** Whether a block of the list is at this place and has this size. */
  holds(place: number, size: number): boolean {
    return this.ranks.has(place) && this.store.sizeAt(place) === size;
  }

  private addSize(at: number, size: number): void {
    if (this.heaps.add(size, at)) this.sizes.set(size);
  }

  private removeSize(at: number, size: number): void {
    if (this.heaps.remove(size, at)) this.sizes.clear(size);
  }
}
