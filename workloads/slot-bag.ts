import { grown } from "../memory/columns.js";
import type { Random } from "../memory/random.js";

/** A multiset of slots of which a random one can be taken in constant time. */
export class SlotBag {
  private slots: Uint32Array;
  private count = 0;

  constructor(capacity = 1024) {
    this.slots = new Uint32Array(capacity);
  }

  get size(): number {
    return this.count;
  }

  add(slot: number): void {
    if (this.count === this.slots.length) {
      this.slots = grown(this.slots, 2 * this.count);
    }
    this.slots[this.count++] = slot;
  }

  /** Removes and returns a slot, each equally likely. The bag is not empty. */
  takeAny(random: Random): number {
    const index = random.below(this.count);
    const slot = this.slots[index];
    this.slots[index] = this.slots[--this.count];
    return slot;
  }

  /** Removes and returns the slot added last, where nothing else was taken. */
  takeLast(): number {
    return this.slots[--this.count];
  }
}
