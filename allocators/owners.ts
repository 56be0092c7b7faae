import type { Address } from "../memory/address-space.js";

const PAGE_GRANULES = 512;

/** Which block's tag holds each granule of memory; 0 for nobody. For checks. */
export class Owners {
  private readonly pages = new Map<number, Uint32Array>();
  private readonly granule: number;

  constructor(granule: number) {
    this.granule = granule;
  }

  /** Sets the owner of a range that must belong to `expected` so far; returns the offending tag or -1. */
  claim(at: Address, bytes: number, expected: number, tag: number): number {
    const end = Math.ceil((at + Math.max(1, bytes)) / this.granule);
    for (let granule = Math.floor(at / this.granule); granule < end; ) {
      const index = Math.floor(granule / PAGE_GRANULES);
      const page = this.pageFor(index);
      const first = index * PAGE_GRANULES;
      const last = Math.min(PAGE_GRANULES, end - first);
      for (let slot = granule - first; slot < last; slot++) {
        if (page[slot] !== expected) return page[slot];
        page[slot] = tag;
      }
      granule = first + last;
    }
    return -1;
  }

  private pageFor(index: number): Uint32Array {
    const known = this.pages.get(index);
    if (known !== undefined) return known;
    const page = new Uint32Array(PAGE_GRANULES);
    this.pages.set(index, page);
    return page;
  }
}
