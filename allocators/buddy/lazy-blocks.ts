import { IndexList } from "../../memory/index-list.js";

/**
 * Blocks that were freed but not merged, by class, the one freed last first: the lazy buddy system (Lee & Barkley 1989,
 * section 3). The slack of a class is its live blocks less its lazily freed ones, which it never lets fall below 0:
 * with a slack of 2 or more a block is freed lazily, with 1 it is merged, with 0 it is merged and a lazy one with it.
 */
export class LazyBlocks {
  private readonly slack: Int32Array;
  private readonly lists: IndexList;

  constructor(classes: number) {
    this.slack = new Int32Array(classes);
    this.lists = new IndexList(classes);
  }

  /** A lazy block of a class, which is live now; -1 where there is none. */
  take(block: number): number {
    const unit = this.lists.first(block);
    if (unit < 0) return -1;
    this.lists.remove(unit);
    this.slack[block] += 2;
    return unit;
  }

  /** A block of a class that was not lazy is live now. */
  gain(block: number): void {
    this.slack[block] += 1;
  }

  /** Frees a live block lazily, if the slack of its class allows it. */
  add(block: number, unit: number): boolean {
    if (this.slack[block] < 2) return false;
    this.slack[block] -= 2;
    this.lists.pushFront(block, unit);
    return true;
  }

  /** A live block of a class is none any more: returns a lazy one that has to be merged now, or -1. */
  lose(block: number): number {
    if (this.slack[block] > 0) {
      this.slack[block] -= 1;
      return -1;
    }
    return this.drop(block);
  }

  /** Takes out a lazy block of the smallest class that has one: memory has run out. */
  reclaim(): { block: number; unit: number } | undefined {
    for (let block = 0; block < this.slack.length; block++) {
      const unit = this.lists.first(block);
      if (unit < 0) continue;
      this.slack[block] += 1;
      this.lists.remove(unit);
      return { block, unit };
    }
    return undefined;
  }

  private drop(block: number): number {
    const unit = this.lists.first(block);
    this.lists.remove(unit);
    return unit;
  }
}
