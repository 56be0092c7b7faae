import type { AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { GrowingTable } from "../growing-table.js";
import { EMPTY, MiniHeaps, WORDS } from "./mini-heaps.js";
import { PageArena } from "./page-arena.js";

/** Bytes of a MiniHeap, its bitmap included, and how many there can be: one for each page. */
const MINI_HEAP = 64;
const MINI_HEAPS = 16777216;
const GRANULE = 16;

/** The spans of a Mesh heap and the pages that they lie in. */
export class Spans {
  readonly heaps = new MiniHeaps();
  readonly arena: PageArena;
  readonly descriptors: GrowingTable;
  readonly index: GrowingTable;
  /** The keeper that serves each page, -1 for a free page, and the first page of the virtual span it is in. */
  owner = new Int32Array(0);
  first = new Int32Array(0);
  /** A bit for each granule of the arena at which a live block starts: it tells spans apart that share frames. */
  live = new Int32Array(0);

  constructor(space: AddressSpace, dirtyLimit: number) {
    this.index = PageArena.createIndex(space);
    this.arena = new PageArena(space, dirtyLimit, this.index);
    this.descriptors = new GrowingTable(space, MINI_HEAP, MINI_HEAPS);
  }

  /** A new span for a size class, or for a large block with class -1; -1 where there is no memory. */
  create(sizeClass: number, pages: number, alignment: number): number {
    const { arena, heaps } = this;
    const page = arena.take(pages, alignment);
    if (page < 0) return -1;
    if (!this.descriptors.ensure(heaps.following + 1)) {
      arena.give(page, pages);
      return -1;
    }
    if (arena.end > this.owner.length) this.grow(arena.end);
    const id = heaps.create(page, sizeClass, pages);
    this.owner.fill(id, page, page + pages);
    this.first.fill(page, page, page + pages);
    return id;
  }

  /** Ends a span without objects, and those that share its frames. */
  release(keeper: number): void {
    const { arena, heaps } = this;
    const pages = heaps.pagesOf(keeper);
    heaps.unfile(keeper);
    for (let id = keeper; id >= 0; id = heaps.next[id]) {
      const page = heaps.page[id];
      this.owner.fill(-1, page, page + pages);
      if (id === keeper) arena.give(page, pages);
      else arena.giveMeshed(page, pages);
      heaps.destroy(id);
    }
  }

  /** Gives the pages of all empty spans of a class back. */
  flush(sizeClass: number): void {
    const empty = this.heaps.inBin(sizeClass, EMPTY);
    for (let id = empty.at(-1); id !== undefined; id = empty.at(-1)) this.release(id);
  }

  /** Whether a live block starts at this byte of the arena. */
  isLive(offset: number): boolean {
    const granule = Math.floor(offset / GRANULE);
    return ((this.live[granule >>> 5] >>> (granule & 31)) & 1) !== 0;
  }

  private grow(pages: number): void {
    const length = Math.max(pages, 2 * this.owner.length);
    this.owner = grown(this.owner, length, -1);
    this.first = grown(this.first, length);
    this.live = grown(this.live, length * WORDS);
  }
}
