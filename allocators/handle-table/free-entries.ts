import { Bitset } from "../../memory/bitset.js";
import { IndexList } from "../../memory/index-list.js";

/** Order in which free entries are reused. */
export type FreeOrder = "lifo" | "fifo" | "lowest";

/**
 * The free entries of a table in an order other than last in, first out, or of a table whose pages can go, so that
 * entries must leave their list from the middle. In the modelled table both links of a list fit the 8 bytes of a free
 * entry; the lowest one is found by a bit for each entry, which the directory beside the table holds.
 */
export class FreeEntries {
  private readonly lowest: boolean;
  private readonly fifo: boolean;
  private readonly list = new IndexList(1);
  private readonly members = new Bitset();

  constructor(order: FreeOrder) {
    this.lowest = order === "lowest";
    this.fifo = order === "fifo";
  }

  isEmpty(): boolean {
    return this.lowest ? this.members.count === 0 : this.list.isEmpty(0);
  }

  add(index: number): void {
    if (this.lowest) this.members.set(index);
    else if (this.fifo) this.list.pushBack(0, index);
    else this.list.pushFront(0, index);
  }

  /** The entry that `take` will give; there must be one. */
  peek(): number {
    return this.lowest ? this.members.first() : this.list.first(0);
  }

  /** The next entry to reuse; there must be one. */
  take(): number {
    const index = this.peek();
    this.remove(index);
    return index;
  }

  remove(index: number): void {
    if (this.lowest) this.members.clear(index);
    else this.list.remove(index);
  }
}
