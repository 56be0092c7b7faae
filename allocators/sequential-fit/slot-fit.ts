import type { PlaceList, Suits } from "./free-list.js";
import { MaxTree } from "./max-tree.js";
import { RankTree } from "./rank-tree.js";
import type { Sizes } from "./sizes.js";

/**
 * First and next fit over slots: the first block that is long enough, from the front of the list or from the rover on.
 * A `MaxTree` finds it, and a `RankTree` counts the hops of the textbook's walk: most blocks that are freed last are
 * taken first or joined with others, and with these two a block comes and goes at little cost.
 */
export class SlotFit implements PlaceList {
  hops: number;
  rover: number;
  private readonly roves: boolean;
  private readonly lifo: boolean;
  private readonly sizes: Sizes;
  private readonly tree: MaxTree;
  private readonly ranks: RankTree;
  private count: number;
  /** No block is in a slot before this one. */
  private front: number;

  constructor(fit: "first" | "next", order: "lifo" | "fifo", sizes: Sizes) {
    this.hops = 0;
    this.rover = 0;
    this.roves = fit === "next";
    this.lifo = order === "lifo";
    this.sizes = sizes;
    this.tree = new MaxTree(sizes);
    this.ranks = new RankTree();
    this.ranks.grow(sizes.length);
    this.count = 0;
    this.front = 0;
  }

  find(need: number): number {
    const { tree } = this;
    const start = this.roves ? this.rover : this.front;
    // The next blocks are looked at first, unless they are the oldest, which nobody wanted.
    let at = start > 0 ? tree.from(start, need) : tree.first(need);
    if (at < 0 && this.roves) at = tree.first(need);
    this.hops = this.walked(start, at);
    return at;
  }

  findSuitable(need: number, suits: Suits): number {
    const start = this.roves ? this.rover : this.front;
    let at = this.suitable(start, this.sizes.length, need, suits);
    if (at < 0 && this.roves) at = this.suitable(this.front, start, need, suits);
    this.hops = this.walked(start, at);
    return at;
  }

  rove(at: number): void {
    this.rover = at;
  }

  insert(at: number, size: number): void {
    this.tree.insert(at, size);
    this.ranks.add(at);
    this.count++;
    if (this.lifo) this.front = at;
  }

  remove(at: number): void {
    this.tree.remove(at);
    this.ranks.remove(at);
    this.count--;
  }

  shorten(): void {}

  grow(): void {
    this.tree.grow();
  }

  renumber(): void {
    this.tree.refill();
    this.ranks.refill(this.sizes);
    this.front = 0;
  }

  /** The first block from `start` on and below `end` that is long enough and suits, or -1. */
  private suitable(start: number, end: number, need: number, suits: Suits): number {
    for (let at = start; at < end; at++) {
      at = this.tree.from(at, need);
      if (at < 0 || at >= end) return -1;
      if (suits.suits(at)) return at;
    }
    return -1;
  }

  /** Blocks on a walk once round from `start` to `at`, that one included; all where there is none. */
  private walked(start: number, at: number): number {
    if (at < 0) return this.count;
    if (at >= start) return this.ranks.between(start, at);
    return this.count - this.ranks.rank(start) + this.ranks.rank(at) + 1;
  }
}
