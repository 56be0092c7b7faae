import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { ProgramBreak } from "../program-break.js";
import { Caches, LARGEST_CACHED } from "./caches.js";
import { binOf, Chunks, FIRST_POSITION, LARGE, MIN_CHUNK } from "./chunks.js";
import { MappedChunks } from "./mapped-chunks.js";
import { type GlibcOptions, glibcOptions, resolveGlibcOptions } from "./options.js";

const GRANULE = 16;
const PER_GRANULE = 1 / GRANULE;
/** Granules of a chunk in front of the program's bytes (CHUNK_HDR_SZ); of these 8 are the previous chunk's. */
const HEADER = 1;
/** Requests beyond this find no addresses. */
const LARGEST = 0x7ffff0000;
/** Granules of the chunk with the thread cache's table: 64 counts of 2 bytes and 64 pointers. */
const TCACHE_CHUNK = 41;
/** A chunk of this many granules made by coalescing empties the fast bins (FASTBIN_CONSOLIDATION_THRESHOLD, 64 KiB). */
const CONSOLIDATE = 4096;
/** Unsorted chunks that one request sorts (MAX_ITERS). */
const MOST_SORTED = 10000;
/** Mapped chunks at a time (DEFAULT_MMAP_MAX) and the largest that raises the threshold, in bytes. */
const MOST_MAPPED = 65536;
const LARGEST_THRESHOLD = 32 * 1048576;
/** sizeof(struct malloc_state): fast bins, bins, binmap. */
const STATE_BYTES = 2200;

const SMALLEST = MIN_CHUNK;
const FIRST_LARGE = LARGE;
const CACHED = LARGEST_CACHED;

/** Granules of the chunk for a request (checked_request2size): 8 bytes of header, at least 32 bytes. */
function granulesFor(size: number): number {
  const granules = size < 0x7ffffff0 ? (size + 23) >>> 4 : Math.floor((size + 23) * PER_GRANULE);
  return granules < SMALLEST ? SMALLEST : granules;
}

/**
 * The main arena of glibc's malloc as one thread sees it, chunk for chunk: thread cache, fast bins, unsorted list, small
 * and large bins, top, trim, and mappings for large chunks. The chunk at position `p` of `n` granules covers bytes
 * [16p + 8, 16(p + n) + 8): its size field, then the program's bytes.
 *
 * **Touched** is what C writes: the size field and the program's bytes of a chunk that is handed out, size field, links
 * and footer of one that comes to be free, the size field of the top, and the thread cache's table.
 */
class Glibc implements Allocator {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly brk: ProgramBreak;
  private readonly chunks: Chunks;
  private readonly caches: Caches;
  private readonly mapped: MappedChunks;
  private readonly options: GlibcOptions;
  private readonly origin: Address;
  private readonly pageGranules: number;
  /** Position of the top chunk, which ends at the break. */
  private top: number;
  private lastRemainder = 0;
  private mappedCount = 0;
  /** In granules; they change with every mapped chunk that is freed, unless fixed. */
  private mmapThreshold: number;
  private trimThreshold: number;
  private readonly topPad: number;
  /** Page of the arena's state, 0 before the first request. */
  private state: Address = 0;

  constructor(space: AddressSpace, options: GlibcOptions) {
    this.space = space;
    this.costs = space.costs;
    this.brk = new ProgramBreak(space, FIRST_POSITION);
    this.chunks = new Chunks(space.costs);
    const largestFast = options.mxfast === 0 ? 1 : (options.mxfast + 8) >> 4;
    this.caches = new Caches(this.chunks, space.costs, options.tcacheCount, largestFast);
    this.mapped = new MappedChunks(space);
    this.options = options;
    this.origin = this.brk.origin;
    this.pageGranules = space.pageSize * PER_GRANULE;
    this.top = FIRST_POSITION;
    this.mmapThreshold = options.mmapThreshold * PER_GRANULE;
    this.trimThreshold = options.trimThreshold * PER_GRANULE;
    this.topPad = options.topPad;
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size > LARGEST || (this.state === 0 && !this.start())) return none;
    const need = granulesFor(size);
    if (alignment > GRANULE) return this.allocateAligned(need, size, alignment);
    if (need <= CACHED && this.caches.counts[need] > 0) return this.handOut(this.caches.take(need), size);
    const at = this.take(need);
    return at > 0 ? this.handOut(at, size) : at < 0 ? this.map(need, size, GRANULE) : none;
  }

  free(ref: Ref): void {
    if (!this.brk.holds(ref)) {
      this.freeMapped(ref);
      return;
    }
    const at = this.positionOf(ref);
    this.release(at, this.chunks.head[at]);
  }

  /** The C function frees a block that is reallocated to 0 bytes; here it becomes the smallest chunk. */
  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return none;
    const need = granulesFor(size);
    if (!this.brk.holds(ref)) return this.reallocateMapped(ref, need, size);
    const at = this.positionOf(ref);
    const { head } = this.chunks;
    const before = head[at];
    const next = at + before;
    let total = before;
    if (before < need) {
      if (next === this.top && this.brk.end - at >= need + SMALLEST) {
        this.costs[Cost.coalesces] += 1;
        this.chunks.use(at, need);
        this.moveTop(at + need);
        return this.handOut(at, size);
      }
      if (next === this.top || head[next] > 0 || before - head[next] < need) return this.relocate(ref, need, size);
      this.costs[Cost.coalesces] += 1;
      total -= head[next];
      this.chunks.unlink(next);
    }
    this.shrink(at, total, need);
    return this.handOut(at, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    if (!this.brk.holds(ref)) return this.mapped.capacityOf(ref);
    return this.chunks.head[this.positionOf(ref)] * GRANULE - 8;
  }

  walk(map: HeapMap): void {
    if (this.state === 0) return;
    map.add(this.state, this.space.pageSize, Kind.meta);
    this.mapped.walk(map);
    const { start, end, high } = this.brk;
    if (end === start) return;
    const address = (position: number): Address => this.origin + position * GRANULE + 8;
    const cached = new Set<number>();
    this.caches.forEach((at) => void cached.add(at));
    map.add(address(start) - 8, 8, Kind.padding);
    for (let at = start; at < this.top; ) {
      const size = Math.abs(this.chunks.head[at]);
      const bytes = size * GRANULE;
      if (at === start) map.add(address(at), bytes, Kind.header);
      else if (this.chunks.head[at] < 0 || cached.has(at)) map.add(address(at), bytes, Kind.free);
      else {
        map.add(address(at), 8, Kind.header);
        map.add(address(at) + 8, bytes - 8, Kind.live, address(at) + 8);
      }
      at += size;
    }
    const last = this.origin + end * GRANULE;
    const fresh = Math.min(address(Math.max(this.top, high)), last);
    map.add(address(this.top), fresh - address(this.top), Kind.free);
    map.add(fresh, last - fresh, Kind.fresh);
  }

  private positionOf(ref: Ref): number {
    return ((ref - this.origin) * PER_GRANULE - HEADER) | 0;
  }

  /** The chunk at `at` goes to the program, which writes `size` bytes of it. */
  private handOut(at: number, size: number): Ref {
    const { brk } = this;
    if (at + this.chunks.head[at] > brk.resident) brk.touch(at, 8, 8 + size);
    return (this.origin + (at + HEADER) * GRANULE) as Ref;
  }

  /** Before the first request: the arena's state, and the thread cache's table as the first chunk (tcache_init). */
  private start(): boolean {
    const state = this.space.map(STATE_BYTES, this.space.pageSize, Use.meta);
    if (state === 0) return false;
    const at = this.take(TCACHE_CHUNK);
    if (at <= 0) {
      this.space.unmap(state, STATE_BYTES);
      return false;
    }
    this.state = state;
    this.brk.touch(at, 8, 8 + 640);
    return true;
  }

  /**
   * A chunk of `need` granules or one more, marked in use (_int_malloc). 0 where there is no memory, -1 where the
   * request is for a mapping of its own.
   */
  private take(need: number): number {
    const { caches, chunks } = this;
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
        const best = chunks.takeBestLarge(bin, need);
        if (best > 0) return this.cut(best, need, false);
      }
      const larger = chunks.takeFromBinsAbove(bin + 1);
      if (larger > 0) return this.cut(larger, need, true);
      const at = this.top;
      if (this.brk.end - at >= need + SMALLEST) return this.takeFromTop(need);
      if (caches.anyFast) this.consolidate();
      else return this.extend(need);
    }
  }

  /** The last chunk of the bin of one size; further ones fill the thread cache. */
  private takeSmall(need: number): number {
    const { caches, chunks } = this;
    const at = chunks.takeLastSmall(need);
    if (at === 0) return 0;
    chunks.use(at, need);
    while (caches.hasRoom(need)) {
      const next = chunks.takeLastSmall(need);
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
    const { caches, chunks, costs } = this;
    let cachedOne = false;
    for (let i = 0; i < MOST_SORTED; i++) {
      const at = chunks.oldestUnsorted();
      if (at === 0) break;
      const size = -chunks.head[at];
      costs[Cost.listHops] += 1;
      if (need < FIRST_LARGE && at === this.lastRemainder && size > need + SMALLEST && chunks.isAloneUnsorted(at)) {
        return this.cutLastRemainder(at, size, need);
      }
      chunks.takeOldestUnsorted(at);
      if (size !== need) {
        chunks.sort(at, size);
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
    this.chunks.takeOldestUnsorted(at);
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

  private takeFromTop(need: number): number {
    const at = this.top;
    this.costs[Cost.splits] += 1;
    this.chunks.use(at, need);
    this.moveTop(at + need);
    return at;
  }

  /** The top starts at `at` from now on: its size field is written there. */
  private moveTop(at: number): void {
    const { brk } = this;
    this.top = at;
    if (at > brk.high) brk.high = at;
    if (at >= brk.resident) brk.touch(at, 8, 8);
  }

  /** Neither bins nor top serve (sysmalloc): -1 for a mapping, else the break moves up. */
  private extend(need: number): number {
    if (need >= this.mmapThreshold && this.mappedCount < MOST_MAPPED) return -1;
    return this.growTop(need) ? this.takeFromTop(need) : 0;
  }

  private growTop(need: number): boolean {
    const lacking = need * GRANULE + this.topPad + 32 - (this.brk.end - this.top) * GRANULE;
    const pages = Math.ceil(lacking / this.space.pageSize);
    if (!this.brk.grow(pages * this.pageGranules)) return false;
    this.chunks.reach(this.brk.end);
    return true;
  }

  /** A mapping; where there is no memory for one the break may still find it, and the other way round never. */
  private map(need: number, size: number, alignment: number): Ref {
    const at = this.mapped.map(need * GRANULE, size, alignment);
    if (at !== 0) {
      this.mappedCount++;
      return at as Ref;
    }
    return alignment === GRANULE && this.growTop(need) ? this.handOut(this.takeFromTop(need), size) : none;
  }

  /** Frees the chunk at `at` (_int_free). */
  private release(at: number, size: number): void {
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

  /** Joins a chunk with its free neighbours, or the top; returns the granules of the free chunk that it is part of. */
  private coalesce(start: number, granules: number): number {
    const { chunks, costs } = this;
    const { head } = chunks;
    const next = start + granules;
    let at = start;
    let size = granules;
    // In front of the first chunk, which is never freed, nothing is free.
    const before = head[at - 1];
    if (before < 0) {
      at += before;
      size -= before;
      chunks.unlink(at);
      costs[Cost.coalesces] += 1;
    }
    if (next === this.top) {
      costs[Cost.coalesces] += 1;
      this.moveTop(at);
      return this.brk.end - at;
    }
    if (head[next] < 0) {
      size -= head[next];
      chunks.unlink(next);
      costs[Cost.coalesces] += 1;
    }
    this.putUnsorted(at, size);
    return size;
  }

  /** A free chunk comes to be: size, links and footer are written. */
  private putUnsorted(at: number, size: number): void {
    const { brk } = this;
    this.chunks.addUnsorted(at, size);
    if (at + size < brk.resident) return;
    brk.touch(at, 8, 24);
    brk.touch(at + size, 0, 8);
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
    const pages = Math.floor(spare / this.space.pageSize);
    if (pages > 0) this.brk.shrink(pages * this.pageGranules);
  }

  /** A chunk in use of `total` granules keeps `need`; the rest is freed where it can be a chunk. */
  private shrink(at: number, total: number, need: number): void {
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
  private splitInUse(at: number, size: number, rest: number): void {
    this.chunks.use(at, size);
    this.chunks.use(at + size, rest);
    if (at + size >= this.brk.resident) this.brk.touch(at + size, 8, 8);
  }

  private relocate(ref: Ref, need: number, size: number): Ref {
    const at = this.positionOf(ref);
    const before = this.chunks.head[at];
    const moved = this.take(need);
    if (moved === 0) return none;
    if (moved === at + before) {
      // The new chunk is the one behind: they become one.
      this.shrink(at, before + this.chunks.head[moved], need);
      return this.handOut(at, size);
    }
    const ref2 = moved > 0 ? this.handOut(moved, size) : this.map(need, size, GRANULE);
    if (ref2 === none) return none;
    this.costs[Cost.bytesCopied] += before * GRANULE - 8;
    this.release(at, before);
    return ref2;
  }

  private reallocateMapped(ref: Ref, need: number, size: number): Ref {
    const moved = this.mapped.remap(ref, need * GRANULE, size);
    if (moved !== 0) return moved as Ref;
    const copy = this.allocate(size);
    if (copy === none) return none;
    this.costs[Cost.bytesCopied] += this.mapped.capacityOf(ref);
    this.mapped.unmap(ref);
    this.mappedCount--;
    return copy;
  }

  private freeMapped(ref: Ref): void {
    const bytes = this.mapped.unmap(ref);
    this.mappedCount--;
    // The size field is compared with its flag for mapped chunks, so 32 MiB are beyond the largest threshold.
    if (!this.options.dynamic || bytes < this.mmapThreshold * GRANULE || bytes >= LARGEST_THRESHOLD) return;
    this.mmapThreshold = bytes * PER_GRANULE;
    this.trimThreshold = 2 * this.mmapThreshold;
  }

  /** Takes a chunk with room for any alignment, and frees what lies in front and behind (_int_memalign). */
  private allocateAligned(need: number, size: number, alignment: number): Ref {
    const step = alignment * PER_GRANULE;
    const worst = need + step + SMALLEST;
    const start = this.take(worst);
    if (start === 0) return none;
    if (start < 0) return this.map(worst, size, alignment);
    let at = start;
    let total = this.chunks.head[start];
    const over = (this.origin * PER_GRANULE + at + HEADER) % step;
    if (over > 0) {
      let lead = step - over;
      if (lead < SMALLEST) lead += step;
      at += lead;
      total -= lead;
      this.costs[Cost.splits] += 1;
      this.splitInUse(start, lead, total);
      this.release(start, lead);
    }
    if (total > need + SMALLEST) this.shrink(at, total, need);
    return this.handOut(at, size);
  }
}

/** glibc's malloc, the default of most Linux systems, without its locks and further arenas. */
export const glibc: AllocatorSpec<GlibcOptions> = {
  name: "glibc",
  title: "glibc malloc (ptmalloc)",
  source: "glibc 2.36, malloc/malloc.c: _int_malloc, _int_free, malloc_consolidate, sysmalloc, systrim, _int_realloc",
  indirect: false,
  alignment: GRANULE,
  options: glibcOptions,
  defaults: defaultsOf(glibcOptions),
  variants: [
    { tcacheCount: 0 },
    { tcacheCount: 0, mxfast: 0 },
    { tcacheCount: 2, mxfast: 160 },
    { dynamic: false, mmapThreshold: 32768, trimThreshold: 65536, topPad: 0 },
    { dynamic: false, mmapThreshold: 1048576, trimThreshold: Number.POSITIVE_INFINITY },
  ],
  create: (space, given) => new Glibc(space, resolveGlibcOptions(given)),
};
