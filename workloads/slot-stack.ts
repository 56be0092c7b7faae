import { grown } from "../memory/columns.js";

/** State of a slot that holds a block. */
export const LIVE = -2;
/** State of a slot whose block is gone and that is never taken again. */
const RETIRED = -3;
/** The slot below the lowest free one. */
export const BOTTOM = -1;

/**
 * Gives out slots the way every trace numbers its blocks: the slot freed last first, else the next unused one. So slots
 * stay dense, `used` is the largest number of blocks live at once, and a file need not store the slot of an allocation.
 */
export class SlotStack {
  /** For a free slot the one freed before it, else `LIVE` or `RETIRED`. */
  private below: Int32Array;
  private top = BOTTOM;
  private count = 0;

  constructor(capacity = 1024) {
    this.below = new Int32Array(Math.max(1, capacity));
  }

  /** Slots ever taken. */
  get used(): number {
    return this.count;
  }

  isLive(slot: number): boolean {
    return slot < this.count && this.below[slot] === LIVE;
  }

  /** Whether the slot was retired. */
  isRetired(slot: number): boolean {
    return slot < this.count && this.below[slot] === RETIRED;
  }

  take(): number {
    let slot = this.top;
    if (slot === BOTTOM) {
      slot = this.count++;
      if (slot === this.below.length) this.grow();
    } else {
      this.top = this.below[slot];
    }
    this.below[slot] = LIVE;
    return slot;
  }

  /** Gives a live slot back; the caller has seen to it that it is live. */
  give(slot: number): void {
    this.below[slot] = this.top;
    this.top = slot;
  }

  /** In place of `give`: keeps the slot of a live block for that block alone. */
  retire(slot: number): void {
    this.below[slot] = RETIRED;
  }

  private grow(): void {
    this.below = grown(this.below, this.below.length * 2);
  }
}
