/** The main arena of glibc 2.36: how chunks are found, cut, freed and coalesced, as _int_malloc and _int_free do it. */
import type { AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { GRANULE as BYTES, type LeaChunks, MIN_CHUNK } from "../lea-chunks.js";
import type { ProgramBreak } from "../program-break.js";
import { Bins, binOf, FIRST_POSITION, LARGE } from "./bins.js";
import type { Caches } from "./caches.js";
import type { GlibcOptions } from "./options.js";

const GRANULE = BYTES;
const PER_GRANULE = 1 / GRANULE;
/** A chunk of this many granules made by coalescing empties the fast bins (FASTBIN_CONSOLIDATION_THRESHOLD, 64 KiB). */
const CONSOLIDATE = 4096;
/** Unsorted chunks that one request sorts (MAX_ITERS). */
const MOST_SORTED = 10000;
/** Mapped chunks at a time (DEFAULT_MMAP_MAX). */
const MOST_MAPPED = 65536;

const SMALLEST = MIN_CHUNK;
const FIRST_LARGE = LARGE;

/** What `take` answers where the request is for a mapping of its own. */
export const MAP = -1;

/** Chunks by position and size in granules of 16 bytes. */
export class Arena {
  private readonly brk: ProgramBreak;
  private readonly chunks: LeaChunks;
  readonly bins: Bins;
  private readonly caches: Caches;
  /** Position of the top chunk, which ends at the break. */
  top: number;
  /** Chunks in mappings of their own (n_mmaps). */
  mapped: number;
  /** In granules; the owner raises them. */
  mmapThreshold: number;
  trimThreshold: number;
  private readonly topPad: number;
  private readonly costs: Costs;
  private readonly pageSize: number;
  private lastRemainder: number;

  /** An arena without memory. */
  constructor(space: AddressSpace, chunks: LeaChunks, caches: Caches, options: GlibcOptions) {
    this.brk = chunks.brk;
    this.chunks = chunks;
    this.bins = new Bins(chunks, space.costs);
    this.caches = caches;
    this.top = FIRST_POSITION;
    this.mapped = 0;
    this.mmapThreshold = options.mmapThreshold * PER_GRANULE;
    this.trimThreshold = options.trimThreshold * PER_GRANULE;
    this.topPad = options.topPad;
    this.costs = space.costs;
    this.pageSize = space.pageSize;
    this.lastRemainder = 0;
  }

  /**
   * A chunk of `need` granules or one more, marked in use (_int_malloc). 0 where there is no memory, `MAP` where the
   * request is for a mapping of its own.
   */
  take(need: number): number {
    const { bins, caches } = this;
    if (need <= caches.largestFast) {
      const fast = caches.takeFast(need);
      if (fast > 0) return fast;
    }
    if (need < FIRST_LARGE) {
      const small = this.takeSmall(need);
      if (small > 0) return small;
    } else if (caches.anyFast) this.consolidate();
    for (;;) {
      const sorted = this.sortUnsorted(need);
      if (sorted > 0) return sorted;
      const bin = binOf(need);
      if (need >= FIRST_LARGE) {
        const best = bins.takeBestLarge(bin, need);
        if (best > 0) return this.cut(best, need, false);
      }
      const larger = bins.takeFromBinsAbove(bin + 1);
      if (larger > 0) return this.cut(larger, need, true);
      const at = this.top;
      if (this.brk.end - at >= need + SMALLEST) return this.takeFromTop(need);
      if (caches.anyFast) this.consolidate();
      else return this.extend(need);
    }
  }

  takeFromTop(need: number): number {
    const at = this.top;
    this.costs[Cost.splits] += 1;
    this.chunks.use(at, need);
    this.moveTop(at + need);
    return at;
  }

  growTop(need: number): boolean {
    const lacking = need * GRANULE + this.topPad + 32 - (this.brk.end - this.top) * GRANULE;
    const pages = Math.ceil(lacking / this.pageSize);
    if (!this.brk.grow(pages * this.pageSize * PER_GRANULE)) return false;
    this.chunks.reachBreak();
    return true;
  }

  moveTop(at: number): void {
    this.top = at;
    this.chunks.writeTop(at);
  }

  /** Frees the chunk at `at` (_int_free). */
  release(at: number, size: number): void {
    const { caches, brk } = this;
    const isCached = caches.hasRoom(size);
    if (isCached || size <= caches.largestFast) {
      if (at + 2 > brk.resident) brk.touch(at, GRANULE, GRANULE);
      if (isCached) caches.put(at, size);
      else caches.putFast(at, size);
      return;
    }
    if (this.coalesce(at, size) < CONSOLIDATE) return;
    if (caches.anyFast) this.consolidate();
    if (brk.end - this.top >= this.trimThreshold) this.trim();
  }

  /** A chunk in use of `total` granules keeps `need`; the rest is freed where it can be a chunk. */
  shrink(at: number, total: number, need: number): void {
    const rest = total - need;
    if (rest < SMALLEST) {
      this.chunks.use(at, total);
      return;
    }
    this.costs[Cost.splits] += 1;
    this.splitInUse(at, need, rest);
    this.release(at + need, rest);
  }

  /** Two chunks in use where one was. */
  splitInUse(at: number, size: number, rest: number): void {
    this.chunks.use(at, size);
    this.chunks.use(at + size, rest);
    if (at + size >= this.brk.resident) this.brk.touch(at + size, 8, 8);
  }

  /** The last chunk of the bin of one size; further ones fill the thread cache. */
  private takeSmall(need: number): number {
    const { bins, caches, chunks } = this;
    const at = bins.takeLastSmall(need);
    if (at === 0) return 0;
    chunks.use(at, need);
    while (caches.hasRoom(need)) {
      const next = bins.takeLastSmall(need);
      if (next === 0) break;
      chunks.use(next, need);
      caches.put(next, need);
    }
    return at;
  }

  /**
   * Puts the unsorted chunks into their bins, the oldest first, up to one that fits exactly, which is taken; where the
   * thread cache has room for chunks of that size it is filled first. Returns 0 where none was found.
   */
  private sortUnsorted(need: number): number {
    const { bins, caches, chunks, costs } = this;
    let cachedOne = false;
    for (let i = 0; i < MOST_SORTED; i++) {
      const at = bins.oldestUnsorted();
      if (at === 0) break;
      const size = -chunks.head[at];
      costs[Cost.listHops] += 1;
      if (need < FIRST_LARGE && at === this.lastRemainder && size > need + SMALLEST && bins.isAloneUnsorted(at)) {
        return this.cutLastRemainder(at, size, need);
      }
      bins.takeOldestUnsorted(at);
      if (size !== need) {
        bins.sort(at, size);
        continue;
      }
      chunks.use(at, size);
      if (!caches.hasRoom(need)) return at;
      caches.put(at, need);
      cachedOne = true;
    }
    return cachedOne ? caches.take(need) : 0;
  }

  /** Cuts from the remainder that stands alone on the unsorted list; so small requests in a row lie side by side. */
  private cutLastRemainder(at: number, size: number, need: number): number {
    this.bins.takeOldestUnsorted(at);
    this.costs[Cost.splits] += 1;
    this.lastRemainder = at + need;
    this.putUnsorted(at + need, size - need);
    this.chunks.use(at, need);
    return at;
  }

  /** Hands out the low end of an unlinked chunk; a remainder that can be a chunk becomes unsorted. */
  private cut(at: number, need: number, remember: boolean): number {
    const size = -this.chunks.head[at];
    const rest = size - need;
    if (rest < SMALLEST) {
      this.chunks.use(at, size);
      return at;
    }
    this.costs[Cost.splits] += 1;
    this.putUnsorted(at + need, rest);
    if (remember && need < FIRST_LARGE) this.lastRemainder = at + need;
    this.chunks.use(at, need);
    return at;
  }

  /** Neither bins nor top serve (sysmalloc): `MAP` for a large request, else the break moves up. */
  private extend(need: number): number {
    if (need >= this.mmapThreshold && this.mapped < MOST_MAPPED) return MAP;
    return this.growTop(need) ? this.takeFromTop(need) : 0;
  }

  /** Joins a chunk with its free neighbours, or the top; returns the granules of the free chunk that it is part of. */
  private coalesce(start: number, granules: number): number {
    const { bins, costs } = this;
    const { head } = this.chunks;
    const next = start + granules;
    let at = start;
    let size = granules;
    // In front of the first chunk, which is never freed, nothing is free.
    const before = head[at - 1];
    if (before < 0) {
      at += before;
      size -= before;
      bins.unlink(at);
      costs[Cost.coalesces] += 1;
    }
    if (next === this.top) {
      costs[Cost.coalesces] += 1;
      this.moveTop(at);
      return this.brk.end - at;
    }
    if (head[next] < 0) {
      size -= head[next];
      bins.unlink(next);
      costs[Cost.coalesces] += 1;
    }
    this.putUnsorted(at, size);
    return size;
  }

  private putUnsorted(at: number, size: number): void {
    this.bins.addUnsorted(at, size);
    this.chunks.writeFree(at, size);
  }

  /** Coalesces all fast chunks (malloc_consolidate). */
  private consolidate(): void {
    const { caches, chunks } = this;
    caches.anyFast = false;
    for (let size = SMALLEST; size <= caches.largestFast; size++) {
      for (let at = caches.takeAllFast(size); at !== 0; ) {
        const next = chunks.link[at];
        this.coalesce(at, size);
        at = next;
      }
    }
  }

  /** Gives whole pages at the end of the top back, and keeps `topPad` (systrim). */
  private trim(): void {
    const spare = (this.brk.end - this.top) * GRANULE - 33 - this.topPad;
    const pages = Math.floor(spare / this.pageSize);
    if (pages > 0) this.brk.shrink(pages * this.pageSize * PER_GRANULE);
  }
}
