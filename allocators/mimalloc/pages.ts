/**
 * Pages of mimalloc 2 (page.c, page-queue.c): spans of slices cut into blocks of one size, in a queue for each size. A
 * page hands out from its `free` list; what is freed goes to a list of its own, which takes the place of `free` when
 * that is empty.
 */
import type { Address, AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { IndexList } from "../../memory/index-list.js";
import { type Segments, SLICE } from "./segments.js";
import { BINS, binSizes, LARGEST_MEDIUM, LARGEST_SMALL } from "./size-bins.js";

/** Words of a page's record, at its first slice. */
export const PageWord = {
  size: 0,
  bin: 1,
  /** Byte offset of the first block in the span. */
  start: 2,
  /** Blocks linked so far, of how many in all, and how many of them the program has. */
  capacity: 3,
  reserved: 4,
  used: 5,
  /** 1 + the first block of the lists, 0 where empty. */
  free: 6,
  freed: 7,
  /** End of the highest block handed out. */
  handedOut: 8,
  /** Whether the page is in the list of full pages. */
  full: 9,
  /** Looks for a page that an empty page outlives before it is given back; 0: the page is in use. */
  retire: 10,
} as const;
const {
  size: SIZE,
  bin: BIN,
  start: START,
  capacity: CAPACITY,
  reserved: RESERVED,
  used: USED,
  free: FREE,
  freed: FREED,
  handedOut: HANDED_OUT,
  full: FULL,
  retire: RETIRE,
} = PageWord;
export const RECORD_BITS = 4;
const RECORD = RECORD_BITS;

/** Links for the blocks of a slice: the smallest have 8 bytes. */
const LINK_BITS = 13;
/** A page's blocks are linked as many at a time as fill an operating system's page (MI_MAX_EXTEND_SIZE). */
const EXTEND = 4096;
/** Slices of a page for medium blocks (512 KiB). */
const MEDIUM_SLICES = 8;
/** Looks that an empty page with small or medium blocks outlives (MI_RETIRE_CYCLES). */
const RETIRE_SMALL = 16;
const RETIRE_MEDIUM = 4;
const FULL_PAGES = BINS;
const LINK_BYTES = 8;

/** Where the blocks of a page start, which is at a slice: small blocks at a multiple of their size, not at its first. */
function startOf(size: number): number {
  return size <= 64 ? 3 * size : size <= 512 ? size : 0;
}

export class Pages {
  /** `PageWord`s by first slice. */
  records: Int32Array;
  /** 1 + the next block of a list, by first slice and block. */
  link: Uint16Array;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly segments: Segments;
  /** By bin the pages that are not known to be full; then the full ones. */
  private readonly queues: IndexList;
  /** Addresses of position 0. */
  private readonly base: Address;

  constructor(space: AddressSpace, segments: Segments) {
    this.space = space;
    this.costs = space.costs;
    this.segments = segments;
    this.base = segments.base;
    this.queues = new IndexList(BINS + 1);
    this.records = new Int32Array(0);
    this.link = new Uint16Array(0);
  }

  /** The page that a bin allocates from first; negative where it has none. */
  firstOf(bin: number): number {
    return this.queues.first(bin);
  }

  /** Takes a block of a bin: 1 + its number, in the page that is first of the bin then. 0: there is no memory. */
  take(bin: number): number {
    const page = this.queues.first(bin);
    if (page >= 0) {
      const at = page << RECORD;
      const block = this.records[at + FREE];
      if (block !== 0) return this.pop(page, at, block);
    }
    return this.takeSlowly(bin);
  }

  /** Takes a block back. */
  give(page: number, block: number): void {
    const { records } = this;
    const at = page << RECORD;
    this.link[(page << LINK_BITS) + block] = records[at + FREED];
    records[at + FREED] = block + 1;
    if (--records[at + USED] === 0) this.retire(page);
    else if (records[at + FULL] !== 0) this.unfill(page);
  }

  /** A page of its own for one block of `size` bytes beyond `LARGEST_MEDIUM`; its first slice, or -1. */
  takeLarge(size: number): number {
    const step = size > MEDIUM_SLICES * SLICE ? MEDIUM_SLICES : 1;
    const page = this.segments.allocate(Math.ceil(size / (step * SLICE)) * step);
    if (page < 0) return -1;
    this.open(page, 0, size, 0, 1);
    this.records[(page << RECORD) + CAPACITY] = 1;
    this.records[(page << RECORD) + USED] = 1;
    this.records[(page << RECORD) + HANDED_OUT] = 1;
    return page;
  }

  private pop(page: number, at: number, block: number): number {
    const { records } = this;
    records[at + FREE] = this.link[(page << LINK_BITS) + block - 1];
    records[at + USED]++;
    if (block > records[at + HANDED_OUT]) records[at + HANDED_OUT] = block;
    return block;
  }

  /** The first page has no free block: the first of the queue that can have one, or a new page (_mi_malloc_generic). */
  private takeSlowly(bin: number): number {
    let page = this.queues.first(bin);
    while (page >= 0 && !this.refill(page)) {
      const next = this.queues.next(page);
      this.queues.remove(page);
      this.queues.pushBack(FULL_PAGES, page);
      this.records[(page << RECORD) + FULL] = 1;
      page = next;
    }
    if (page < 0) {
      this.collectRetired();
      page = this.make(bin);
      if (page < 0) return 0;
    }
    const at = page << RECORD;
    this.records[at + RETIRE] = 0;
    return this.pop(page, at, this.records[at + FREE]);
  }

  /** Gives a page's `free` list blocks: those freed since, or ones that are linked now. `false` where it is full. */
  private refill(page: number): boolean {
    const { records } = this;
    const at = page << RECORD;
    this.costs[Cost.listHops] += 1;
    if (records[at + FREE] !== 0) return true;
    if (records[at + FREED] !== 0) {
      records[at + FREE] = records[at + FREED];
      records[at + FREED] = 0;
      return true;
    }
    return this.extend(page);
  }

  /** Links the next blocks of a page, in order (mi_page_extend_free). */
  private extend(page: number): boolean {
    const { records, link } = this;
    const at = page << RECORD;
    const capacity = records[at + CAPACITY];
    const size = records[at + SIZE];
    const most = Math.max(1, (EXTEND / size) | 0);
    const count = Math.min(most, records[at + RESERVED] - capacity);
    if (count === 0) return false;
    const links = page << LINK_BITS;
    const end = capacity + count;
    for (let block = capacity; block < end - 1; block++) link[links + block] = block + 2;
    link[links + end - 1] = 0;
    records[at + FREE] = capacity + 1;
    records[at + CAPACITY] = end;
    const from = this.base + page * SLICE + records[at + START] + capacity * size;
    this.space.touch(from, (count - 1) * size + LINK_BYTES);
    return true;
  }

  private make(bin: number): number {
    const size = binSizes[bin];
    const slices = size <= LARGEST_SMALL ? 1 : MEDIUM_SLICES;
    const page = this.segments.allocate(slices);
    if (page < 0) return -1;
    const start = startOf(size);
    this.open(page, bin, size, start, ((slices * SLICE - start) / size) | 0);
    this.queues.pushFront(bin, page);
    this.extend(page);
    return page;
  }

  private open(page: number, bin: number, size: number, start: number, blocks: number): void {
    this.reach(page + this.segments.slicesOf(page));
    const at = page << RECORD;
    this.records.fill(0, at, at + (1 << RECORD));
    this.records[at + SIZE] = size;
    this.records[at + BIN] = bin;
    this.records[at + START] = start;
    this.records[at + RESERVED] = blocks;
  }

  /** A page is empty: it goes, unless it is the only one of its queue, which is kept for a while (_mi_page_retire). */
  private retire(page: number): void {
    const at = page << RECORD;
    const size = this.records[at + SIZE];
    if (size > LARGEST_MEDIUM) {
      this.segments.release(page);
      return;
    }
    if (this.records[at + FULL] !== 0) this.unfill(page);
    const bin = this.records[at + BIN];
    if (this.queues.first(bin) === page && this.queues.last(bin) === page) {
      this.records[at + RETIRE] = 1 + (size <= LARGEST_SMALL ? RETIRE_SMALL : RETIRE_MEDIUM);
      return;
    }
    this.queues.remove(page);
    this.segments.release(page);
  }

  /** A full page has a free block again: it is the last of its queue. */
  private unfill(page: number): void {
    const at = page << RECORD;
    this.records[at + FULL] = 0;
    this.queues.remove(page);
    this.queues.pushBack(this.records[at + BIN], page);
  }

  /** Lets the empty pages that were kept grow older, and gives those back that are old enough. */
  private collectRetired(): void {
    for (let bin = 1; bin < BINS; bin++) {
      const page = this.queues.first(bin);
      if (page < 0) continue;
      const at = page << RECORD;
      if (this.records[at + RETIRE] === 0) continue;
      if (this.records[at + USED] > 0) this.records[at + RETIRE] = 0;
      else if (--this.records[at + RETIRE] === 0) {
        this.queues.remove(page);
        this.segments.release(page);
      }
    }
  }

  /** Makes room for slices below `end`. */
  private reach(end: number): void {
    const have = this.records.length >> RECORD;
    if (end <= have) return;
    const slices = Math.max(end, 2 * have, 64);
    this.records = grown(this.records, slices << RECORD);
    this.link = grown(this.link, slices << LINK_BITS);
  }
}
