import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";

/** Pages of a heap of 32 GiB. */
const MOST_PAGES = 8388608;

/**
 * The size class of each page of a heap that only grows (BIBOP, Steele 1977): a byte for each page beside the heap, or
 * nothing where headers tell it.
 */
export class PageClasses {
  private readonly space: AddressSpace;
  private readonly charged: boolean;
  private readonly base: Address;
  private kinds = new Uint8Array(1024);
  /** Bytes of the table that are mapped. */
  private mapped = 0;

  constructor(space: AddressSpace, charged: boolean) {
    this.space = space;
    this.charged = charged;
    this.base = charged ? space.reserve(MOST_PAGES, space.pageSize) : 0;
  }

  /** The class of a page; `page` may lie inside one. */
  of(page: number): number {
    return this.kinds[page | 0];
  }

  /** Notes the class of pages behind all others. `false` where there is no memory; nothing has changed then. */
  add(first: number, pages: number, kind: number): boolean {
    const end = first + pages;
    const { pageSize } = this.space;
    const missing = this.charged ? Math.max(0, Math.ceil(end / pageSize) * pageSize - this.mapped) : 0;
    if (!this.space.commit(this.base + this.mapped, missing, Use.meta)) return false;
    this.mapped += missing;
    if (end > this.kinds.length) {
      this.kinds = grown(this.kinds, Math.max(end, this.kinds.length * 2));
    }
    this.kinds.fill(kind, first, end);
    return true;
  }

  /** Takes the last `add` back. */
  drop(first: number): void {
    const { pageSize } = this.space;
    const needed = this.charged ? Math.ceil(first / pageSize) * pageSize : 0;
    this.space.unmap(this.base + needed, this.mapped - needed);
    this.mapped = needed;
  }

  walk(map: HeapMap): void {
    map.add(this.base, this.mapped, Kind.meta);
  }
}
