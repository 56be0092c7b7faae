import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";

/** Positions and sizes in a heap are in granules of 16 bytes. */
export const GRANULE = 16;
export const PER_GRANULE = 1 / GRANULE;

/** Addresses set aside for a heap: 32 GiB. */
export const RESERVED = 0x800000000;
const MAX_GRANULES = 0x7fffffff;

/**
 * The memory under a contiguous heap: a reserved range mapped from its base up to a movable end, with two marks that
 * follow what was written. Positions are granules from the base, below 2^31.
 */
export class Extent {
  readonly base: Address;
  /** Granules mapped. */
  end: number;
  /** End of the highest granule handed out since it was mapped: what lies above is fresh. The owner raises it. */
  used: number;
  /** Start of a page below which every page is resident: nothing there needs `touch`. */
  resident: number;
  private readonly space: AddressSpace;
  private readonly page: number;
  private readonly step: number;

  /** An extent without memory yet that grows by multiples of `growth` bytes, in whole pages. */
  constructor(space: AddressSpace, growth: number) {
    this.base = space.reserve(RESERVED, space.pageSize);
    this.end = 0;
    this.used = 0;
    this.resident = 0;
    this.space = space;
    this.page = space.pageSize * PER_GRANULE;
    this.step = Math.ceil(growth / space.pageSize) * this.page;
  }

  /** Maps steps until `position` lies inside or at the end. `false` where there is no memory; nothing has changed. */
  growTo(position: number): boolean {
    if (position <= this.end) return true;
    const granules = Math.ceil((position - this.end) / this.step) * this.step;
    if (this.end + granules > MAX_GRANULES) return false;
    if (!this.space.commit(this.base + this.end * GRANULE, granules * GRANULE, Use.heap)) return false;
    this.end += granules;
    return true;
  }

  /**
   * Unmaps the fewest whole pages at the end that leave at most one growth step above `start`, or one page less where
   * fewer than `least` granules would be left there. Returns the granules unmapped.
   */
  shrinkAbove(start: number, least: number): number {
    const size = this.end - start;
    let gone = Math.ceil((size - this.step) / this.page) * this.page;
    if (size - gone < least) gone -= this.page;
    if (gone <= 0) return 0;
    this.end -= gone;
    this.space.unmap(this.base + this.end * GRANULE, gone * GRANULE);
    this.used = Math.min(this.used, this.end);
    this.resident = Math.min(this.resident, this.end);
    return gone;
  }

  /** Touches bytes given by their offset from the base, and moves `resident` on where they join it. */
  touch(offset: number, bytes: number): void {
    this.space.touch(this.base + offset, bytes);
    const pageSize = this.space.pageSize;
    const first = Math.floor(offset / pageSize) * this.page;
    const last = Math.ceil((offset + bytes) / pageSize) * this.page;
    if (first <= this.resident && last > this.resident) this.resident = last;
  }
}
