import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { ResidentPages } from "../resident-pages.js";
import { SizeLists } from "./size-lists.js";

/** ALIGN_SIZE: sizes and addresses are multiples of it; positions and sizes inside are granules of it. */
const GRANULE = 8;
/** block_header_overhead, and what a free block needs behind it (block_size_min): two links and a footer. */
const HEADER = 1;
const LEAST = 3;
/** sizeof(block_header_t): the smallest part that is split off, and the smallest gap in front of an aligned block. */
const LEAST_WHOLE = 4;
/** block_size_max: requests must be below 4 GiB. */
const LARGEST = 0x100000000;
/** sizeof(control_t): the null block, 26 words of bitmaps, 25 * 32 heads. */
const CONTROL = 32 + 4 * 26 + 8 * 25 * 32;
/** 16 GiB of addresses. */
const RESERVED = 0x400000000;

// Low bits of a header word; the size in granules is above them.
const FREE = 1;
const PREVIOUS_FREE = 2;

/** Options of `tlsf`; `pool` in bytes. */
export interface TlsfOptions {
  pool: number;
  growth: "pools" | "none";
}

const options: OptionTable<TlsfOptions> = {
  pool: { kind: "bytes", min: 4096, max: 0x80000000, default: 1 << 20, help: "size of a pool, in whole pages" },
  growth: {
    kind: "choice",
    values: ["pools", "none"],
    default: "pools",
    help: "where no block fits another pool is added, as large as the request needs, or the heap is one pool for good",
  },
};

/**
 * TLSF as Matthew Conte wrote it: good fit from two levels of lists, the last freed first, neighbours merged at once.
 * A block has a header of 8 bytes, its size with two bits that say whether it and the block before it are free; a free
 * block has two links behind it and, in its last word, the way back to its header. A remainder of 32 bytes or more is
 * split off at the high end.
 *
 * **Pools** lie one behind the other, each between the header of its first block and a sentinel's; blocks of two pools
 * are never merged, and none is given back. The control structure is mapped under `Use.meta`, 6,536 bytes.
 *
 * **Touched** are the header and the program's bytes of a block that is handed out, and header, links and last word of
 * each free block that comes into being.
 */
class Tlsf implements Allocator {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly base: Address;
  private readonly pool: number;
  private readonly fixed: boolean;
  private readonly pages: ResidentPages;
  private readonly lists: SizeLists;
  private control: Address;
  /** Pools end here, in granules. */
  private end = 0;
  /** At a header its word, in free blocks links and the way back, else anything. */
  private words: Int32Array;
  /** First granule and end of each pool, and the end of its highest block handed out. */
  private readonly pools: { readonly start: number; readonly end: number; used: number }[] = [];

  constructor(space: AddressSpace, given: TlsfOptions) {
    this.space = space;
    this.costs = space.costs;
    this.base = space.reserve(RESERVED, 1 << 20);
    this.pool = given.pool;
    this.fixed = given.growth === "none";
    this.pages = new ResidentPages(space, this.base);
    this.words = new Int32Array(4096);
    this.lists = new SizeLists(this.words);
    this.control = 0;
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size >= LARGEST) return none;
    const need = granulesFor(size);
    if (alignment > GRANULE) return this.allocateAligned(size, need, alignment / GRANULE);
    const block = this.locate(need);
    if (block < 0) return none;
    return this.handOut(block, need, size);
  }

  free(ref: Ref): void {
    const { words } = this;
    const block = this.headerOf(ref);
    const mark = words[block];
    const size = mark >>> 2;
    const next = block + HEADER + size;
    let start = block;
    let total = size;
    if ((mark & PREVIOUS_FREE) !== 0) {
      start = words[block - 1];
      const before = words[start] >>> 2;
      this.lists.remove(start, before);
      total += before + HEADER;
      this.costs[Cost.coalesces] += 1;
    }
    if ((words[next] & FREE) !== 0) {
      const after = words[next] >>> 2;
      this.lists.remove(next, after);
      total += after + HEADER;
      this.costs[Cost.coalesces] += 1;
    }
    this.insert(start, total);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (size >= LARGEST) return none;
    const { words } = this;
    const block = this.headerOf(ref);
    const before = words[block] >>> 2;
    const need = granulesFor(size);
    if (need > before) {
      const next = block + HEADER + before;
      const after = (words[next] & FREE) === 0 ? 0 : (words[next] >>> 2) + HEADER;
      if (before + after < need) return relocate(this, this.costs, ref, before * GRANULE, size);
      this.lists.remove(next, after - HEADER);
      this.costs[Cost.coalesces] += 1;
      this.use(block, before + after);
    }
    this.trimUsed(block, need);
    this.pages.touch((block + HEADER) * GRANULE, size);
    return ref;
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    return (this.words[this.headerOf(ref)] >>> 2) * GRANULE;
  }

  walk(map: HeapMap): void {
    const { words, base } = this;
    for (const pool of this.pools) {
      let block = pool.start;
      for (; block < pool.end - 1; block += HEADER + (words[block] >>> 2)) {
        const address = base + (block + HEADER) * GRANULE;
        const bytes = (words[block] >>> 2) * GRANULE;
        map.add(address - GRANULE, GRANULE, Kind.header);
        if ((words[block] & FREE) === 0) {
          map.add(address, bytes, Kind.live, address);
        } else {
          const fresh = Math.min(bytes, Math.max(0, base + pool.used * GRANULE - address));
          map.add(address, fresh, Kind.free);
          map.add(address + fresh, bytes - fresh, Kind.fresh);
        }
      }
      map.add(base + block * GRANULE, GRANULE, Kind.header);
    }
    if (this.control > 0) map.add(this.control, Math.ceil(CONTROL / 4096) * 4096, Kind.meta);
  }

  private headerOf(ref: Ref): number {
    return (ref - this.base) / GRANULE - HEADER;
  }

  /** A listed free block of at least `need` granules, from a new pool if need be, out of its list; -1: no memory. */
  private locate(need: number): number {
    let block = this.lists.find(need);
    if (block < 0) {
      if (!this.addPool(need)) return -1;
      block = this.lists.find(need);
      if (block < 0) return -1;
    }
    this.lists.remove(block, this.words[block] >>> 2);
    return block;
  }

  /** tlsf_memalign: a gap in front of the block is a free block of its own, of 32 bytes at least. */
  private allocateAligned(size: number, need: number, alignment: number): Ref {
    const found = this.locate(Math.ceil((need + alignment + LEAST_WHOLE) / alignment) * alignment);
    if (found < 0) return none;
    const payload = this.base / GRANULE + found + HEADER;
    let gap = Math.ceil(payload / alignment) * alignment - payload;
    if (gap > 0 && gap < LEAST_WHOLE) {
      const far = payload + gap + Math.max(LEAST_WHOLE - gap, alignment);
      gap = Math.ceil(far / alignment) * alignment - payload;
    }
    if (gap === 0) return this.handOut(found, need, size);
    const { words } = this;
    const rest = (words[found] >>> 2) - gap;
    this.costs[Cost.splits] += 1;
    words[found + gap] = rest << 2;
    this.insert(found, gap - HEADER);
    return this.handOut(found + gap, need, size);
  }

  /** Makes an unlisted free block one in use of `need` granules, and gives back what can be split off. */
  private handOut(block: number, need: number, size: number): Ref {
    const total = this.words[block] >>> 2;
    if (total >= need + LEAST_WHOLE) {
      this.use(block, need);
      this.splitOff(block, need, total);
    } else {
      this.use(block, total);
    }
    const offset = block * GRANULE;
    this.pages.touch(offset, GRANULE + size);
    return (this.base + offset + GRANULE) as Ref;
  }

  /** Writes the header of a block in use, and tells the next one. */
  private use(block: number, size: number): void {
    const { words } = this;
    words[block] = (size << 2) | (words[block] & PREVIOUS_FREE);
    const next = block + HEADER + size;
    words[next] &= ~PREVIOUS_FREE;
    const pool = this.pools[this.pools.length - 1];
    if (block >= pool.start) {
      if (next > pool.used) pool.used = next;
    } else {
      this.markUsed(block, next);
    }
  }

  /** Lists what the block in use at `block` leaves of `total` granules as a block of its own. */
  private splitOff(block: number, size: number, total: number): void {
    const rest = block + HEADER + size;
    this.costs[Cost.splits] += 1;
    this.words[rest] = 0;
    this.insert(rest, total - size - HEADER);
  }

  /** block_trim_used: a part that is cut off merges with a free block behind it. */
  private trimUsed(block: number, need: number): void {
    const { words } = this;
    const total = words[block] >>> 2;
    if (total < need + LEAST_WHOLE) return;
    const next = block + HEADER + total;
    let end = total;
    if ((words[next] & FREE) !== 0) {
      const after = words[next] >>> 2;
      this.lists.remove(next, after);
      end += after + HEADER;
      this.costs[Cost.coalesces] += 1;
    }
    this.use(block, need);
    this.splitOff(block, need, end);
  }

  /** Lists a free block and writes its header, links and way back; keeps what its header says of the one before. */
  private insert(block: number, size: number): void {
    const { words } = this;
    words[block] = (size << 2) | (words[block] & PREVIOUS_FREE) | FREE;
    words[block + size] = block;
    words[block + HEADER + size] |= PREVIOUS_FREE;
    this.lists.insert(block, size);
    this.pages.touch(block * GRANULE, 3 * GRANULE);
    this.pages.touch((block + size) * GRANULE, GRANULE);
  }

  /** In the pool that a block lies in: its end is `next`. Pools before the last one are found by bisection. */
  private markUsed(block: number, next: number): void {
    let low = 0;
    let high = this.pools.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pools[middle].start <= block) low = middle;
      else high = middle - 1;
    }
    const pool = this.pools[low];
    if (next > pool.used) pool.used = next;
  }

  /** tlsf_add_pool, with room for the good fit of `need` granules: one free block between two headers. */
  private addPool(need: number): boolean {
    if (this.fixed && this.pools.length > 0) return false;
    const searched = need + (need >>> 5);
    const page = this.space.pageSize;
    const least = (searched + 2 * HEADER) * GRANULE;
    const bytes = Math.ceil((this.fixed ? this.pool : Math.max(this.pool, least)) / page) * page;
    const start = this.end;
    if (bytes < least || bytes > LARGEST || start * GRANULE + bytes > RESERVED) return false;
    if (!this.space.commit(this.base + start * GRANULE, bytes, Use.heap)) return false;
    if (this.control === 0) {
      this.control = this.space.map(CONTROL, page, Use.meta);
      if (this.control === 0) {
        this.space.unmap(this.base, bytes);
        return false;
      }
    }
    this.end = start + bytes / GRANULE;
    this.reach(this.end);
    this.pools.push({ start, end: this.end, used: start });
    this.words[start] = 0;
    this.words[this.end - 1] = 0;
    this.pages.touch((this.end - 1) * GRANULE, GRANULE);
    this.insert(start, bytes / GRANULE - 2 * HEADER);
    return true;
  }

  private reach(length: number): void {
    this.pages.reach(length * GRANULE);
    if (length <= this.words.length) return;
    this.words = grown(this.words, Math.max(length, this.words.length * 2));
    this.lists.words = this.words;
  }
}

/** adjust_request_size; nothing is a request for the least, where the original answers with a null pointer. */
function granulesFor(size: number): number {
  const granules = Math.ceil(size / GRANULE);
  return granules < LEAST ? LEAST : granules;
}

/** Two-level segregated fit; `Cost.listHops` stays 0, because no list is searched beyond its head. */
export const tlsf: AllocatorSpec<TlsfOptions> = {
  name: "tlsf",
  title: "TLSF, two-level segregated good fit",
  source:
    "Masmano, Ripoll, Crespo & Real 2004, TLSF, ECRTS; Conte, tlsf.c 3.1 (2020): tlsf_malloc, tlsf_free, tlsf_realloc, tlsf_memalign",
  indirect: false,
  alignment: GRANULE,
  options,
  defaults: defaultsOf(options),
  variants: [{ pool: 65536 }, { pool: 4096 }, { growth: "none", pool: 3 << 20 }],
  create: (space, given) => new Tlsf(space, resolveOptions("tlsf", options, given)),
};
