import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import type { Layout } from "./layout.js";

/** Addresses set aside for a heap: 32 GiB. */
export const RESERVED = 0x800000000;
const MAX_POSITION = 0x7fffffff;

/**
 * The memory under a contiguous heap: a reserved range mapped from its base up to a movable end, with two marks that
 * follow what was written. Positions are those of the layout.
 */
export class Extent {
  readonly base: Address;
  /** Where a block that ends with the heap ends; `first` while nothing is mapped. */
  end: number;
  /** End of the highest granule handed out since it was mapped: what lies above is fresh. The owner raises it. */
  used: number;
  /** No byte of a block that ends here or below needs `touch`. */
  resident: number;
  /** Bytes mapped. */
  mapped: number;
  private readonly space: AddressSpace;
  private readonly layout: Layout;
  private readonly pageSize: number;
  /** Granules by which the heap grows; 0: exactly what is lacking. */
  private readonly step: number;
  private readonly limit: number;

  /**
   * An extent without memory yet that grows by multiples of `growth` bytes, in whole pages, or with 0 by exactly what is
   * lacking, up to position `limit`.
   */
  constructor(space: AddressSpace, layout: Layout, growth: number, limit = MAX_POSITION) {
    this.base = space.reserve(RESERVED, space.pageSize);
    this.space = space;
    this.layout = layout;
    this.pageSize = space.pageSize;
    this.step = (Math.ceil(growth / space.pageSize) * space.pageSize) / layout.granule;
    this.limit = limit;
    this.mapped = 0;
    this.end = this.positionIn(0);
    this.used = 0;
    this.resident = this.end;
  }

  /** Maps steps until `position` lies inside or at the end. `false` where there is no memory; nothing has changed. */
  growTo(position: number): boolean {
    if (position <= this.end) return true;
    const end = this.step === 0 ? position : this.end + Math.ceil((position - this.end) / this.step) * this.step;
    if (end > this.limit) return false;
    const pages = Math.ceil(this.offsetOf(end) / this.pageSize) * this.pageSize;
    if (!this.space.commit(this.base + this.mapped, pages - this.mapped, Use.heap)) return false;
    this.mapped = pages;
    // Positions fit in 32 bits; as such, and not as doubles, they are kept.
    this.end = end | 0;
    return true;
  }

  /**
   * Unmaps the fewest whole pages at the end that leave at most one growth step above `start`, or one page less where
   * fewer than `least` granules would be left there. A heap that grows exactly ends `least` granules above `start`
   * then. Returns the granules gone.
   */
  shrinkAbove(start: number, least: number): number {
    const before = this.end;
    if (this.step === 0) {
      this.end = Math.min(before, start + least) | 0;
    } else {
      const page = this.pageSize / this.layout.granule;
      let gone = Math.ceil((before - start - this.step) / page) * page;
      if (before - start - gone < least) gone -= page;
      if (gone > 0) this.end = (before - gone) | 0;
    }
    const pages = Math.ceil(this.offsetOf(this.end) / this.pageSize) * this.pageSize;
    if (pages < this.mapped) this.space.unmap(this.base + pages, this.mapped - pages);
    this.mapped = pages;
    this.used = Math.min(this.used, this.end);
    this.resident = Math.min(this.resident, this.positionIn(pages));
    return before - this.end;
  }

  /** Touches bytes given by their offset from the base, and moves `resident` on where they join it. */
  touch(offset: number, bytes: number): void {
    if (bytes === 0) return;
    this.space.touch(this.base + offset, bytes);
    const { pageSize } = this;
    const first = this.positionIn(Math.floor(offset / pageSize) * pageSize);
    const last = this.positionIn(Math.ceil((offset + bytes) / pageSize) * pageSize);
    if (first <= this.resident && last > this.resident) this.resident = last;
  }

  /** Offset of the first byte of a block at `position`. */
  offsetOf(position: number): number {
    return position * this.layout.granule - this.layout.lead;
  }

  /** Where a block that lies within the first `bytes`, whole pages, can end. */
  private positionIn(bytes: number): number {
    return Math.floor((bytes + this.layout.lead) / this.layout.granule) | 0;
  }
}
