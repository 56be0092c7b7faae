import type { Address, AddressSpace } from "../memory/address-space.js";
import { grown } from "../memory/columns.js";

const PAGE = 4096;
const PER_PAGE = 1 / PAGE;

/**
 * The pages of a reserved range that are known to be resident, so that most writes need not ask the address space.
 * Offsets are bytes from the start of the range.
 */
export class ResidentPages {
  private readonly space: AddressSpace;
  private readonly base: Address;
  /** 1 for a page that has been touched and neither unmapped nor discarded since. */
  private pages: Uint8Array;

  constructor(space: AddressSpace, base: Address) {
    this.space = space;
    this.base = base;
    this.pages = new Uint8Array(64);
  }

  /** Makes room for bytes below `end`. Must be called before they are touched. */
  reach(end: number): void {
    const needed = Math.ceil(end * PER_PAGE);
    if (needed <= this.pages.length) return;
    this.pages = grown(this.pages, Math.max(needed, this.pages.length * 2));
  }

  /** The allocator or the program writes these bytes. */
  touch(offset: number, bytes: number): void {
    const first = (offset * PER_PAGE) | 0;
    const last = ((offset + bytes - 1) * PER_PAGE) | 0;
    if (first !== last || this.pages[first] === 0) this.touchPages(offset, bytes, first, last + 1);
  }

  /** The pages were unmapped or discarded. */
  forget(offset: number, bytes: number): void {
    this.pages.fill(0, Math.floor(offset * PER_PAGE), Math.ceil((offset + bytes) * PER_PAGE));
  }

  private touchPages(offset: number, bytes: number, first: number, end: number): void {
    if (bytes <= 0) return;
    const { pages } = this;
    let page = first;
    while (page < end && pages[page] === 1) page += 1;
    if (page === end) return;
    this.space.touch(this.base + offset, bytes);
    pages.fill(1, page, end);
  }
}
