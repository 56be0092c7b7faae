import { Bitset } from "../../memory/bitset.js";
import { IndexList } from "../../memory/index-list.js";
import { type FreeBlocks, lowestBit as lowestSetBit } from "./free-blocks.js";

const lowestBit = lowestSetBit;

/** Which of at most 64 classes have a free block. */
class ClassMask {
  private low = 0;
  private high = 0;

  set(block: number): void {
    if (block < 32) this.low |= 1 << block;
    else this.high |= 1 << block;
  }

  clear(block: number): void {
    if (block < 32) this.low &= ~(1 << block);
    else this.high &= ~(1 << block);
  }

  /** The lowest member that is `block` or above, or -1. */
  next(block: number): number {
    if (block < 32) {
      const word = this.low & (-1 << block);
      if (word !== 0) return lowestBit(word);
    }
    const word = block < 32 ? this.high : this.high & (-1 << block);
    return word === 0 ? -1 : 32 + lowestBit(word);
  }
}

/** The free blocks of a buddy system with up to 64 classes, the one freed last first. */
export class ClassLists implements FreeBlocks {
  private readonly mask = new ClassMask();
  private readonly lists: IndexList;

  constructor(classes: number) {
    this.lists = new IndexList(classes);
  }

  smallest(block: number): number {
    return this.mask.next(block);
  }

  take(block: number): number {
    const unit = this.lists.first(block);
    this.remove(block, unit);
    return unit;
  }

  add(block: number, unit: number): void {
    this.lists.pushFront(block, unit);
    this.mask.set(block);
  }

  remove(block: number, unit: number): void {
    this.lists.remove(unit);
    if (this.lists.isEmpty(block)) this.mask.clear(block);
  }
}

/** The free blocks of a buddy system with up to 64 classes, the lowest address first. */
export class ClassBitmaps implements FreeBlocks {
  private readonly mask = new ClassMask();
  private readonly sets: readonly Bitset[];

  constructor(classes: number) {
    this.sets = Array.from({ length: classes }, () => new Bitset());
  }

  smallest(block: number): number {
    return this.mask.next(block);
  }

  take(block: number): number {
    const unit = this.sets[block].first();
    this.remove(block, unit);
    return unit;
  }

  add(block: number, unit: number): void {
    this.sets[block].set(unit);
    this.mask.set(block);
  }

  remove(block: number, unit: number): void {
    const set = this.sets[block];
    set.clear(unit);
    if (set.count === 0) this.mask.clear(block);
  }
}
