import type { FreeList, PlaceList, Suits } from "./free-list.js";
import { MaxTree } from "./max-tree.js";
import type { Sizes } from "./sizes.js";

/** Worst fit: the first of the largest blocks. The textbook's walk looks at all. */
export class WorstList implements FreeList, PlaceList {
  hops: number;
  rover: number;
  private readonly sizes: Sizes;
  private readonly tree: MaxTree;
  private count: number;

  constructor(sizes: Sizes) {
    this.hops = 0;
    this.rover = 0;
    this.sizes = sizes;
    this.tree = new MaxTree(sizes);
    this.count = 0;
  }

  find(need: number): number {
    this.hops = this.count;
    return this.tree.firstLargest(need);
  }

  findSuitable(need: number, suits: Suits): number {
    const { tree, sizes } = this;
    this.hops = this.count;
    let chosen = -1;
    let least = need;
    for (let place = 0; place < sizes.length; ) {
      const at = tree.from(place, least);
      if (at < 0) break;
      if (suits.suits(at)) {
        chosen = at;
        least = sizes.sizeAt(at) + 1;
      }
      place = at + 1;
    }
    return chosen;
  }

  rove(): void {}

  insert(at: number, size: number): void {
    this.tree.insert(at, size);
    this.count++;
  }

  remove(at: number, size: number): void {
    this.tree.remove(at);
    this.settle(at, size);
    this.count--;
  }

  extend(at: number, _before: number, size: number): void {
    this.tree.raise(at, size);
  }

  shorten(at: number, before: number): void {
    this.settle(at, before);
  }

  cut(at: number, size: number, to: number, rest: number): void {
    this.tree.remove(at);
    if (rest === 0) this.count--;
    else this.tree.insert(to, rest);
    this.settle(at, size);
  }

  join(at: number, size: number, before: number, after: number): void {
    const total = (before + size + after) | 0;
    if (before === 0) this.tree.insert(at, total);
    else this.tree.raise(at - before, total);
    // The block is larger than the one that is gone, so that no bound above both is that one's.
    if (after !== 0) this.tree.remove(at + size);
    this.count += (before === 0 ? 1 : 0) - (after === 0 ? 0 : 1);
  }

  grow(): void {
    this.tree.grow();
  }

  renumber(): void {
    this.tree.refill();
  }

  /** The next search would come to the place of what was the largest block. */
  private settle(at: number, before: number): void {
    if (before === this.tree.most()) this.tree.settle(at);
  }
}
