import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { GRANULE as BYTES, granulesFor, HEADER, LARGEST_REQUEST, LeaChunks, MIN_CHUNK } from "../lea-chunks.js";
import { MappedChunks } from "../mapped-chunks.js";
import { Arena } from "./arena.js";
import { FIRST_POSITION } from "./bins.js";
import { Caches, LARGEST_CACHED } from "./caches.js";
import { type GlibcOptions, glibcOptions, resolveGlibcOptions } from "./options.js";

const GRANULE = BYTES;
const PER_GRANULE = 1 / GRANULE;
const LARGEST = LARGEST_REQUEST;
/** Granules of the chunk with the thread cache's table: 64 counts of 2 bytes and 64 pointers. */
const TCACHE_CHUNK = 41;
/** The largest mapped chunk that raises the threshold (DEFAULT_MMAP_THRESHOLD_MAX), in bytes. */
const LARGEST_THRESHOLD = 32 * 1048576;
/** sizeof(struct malloc_state): fast bins, bins, binmap. */
const STATE_BYTES = 2200;

const SMALLEST = MIN_CHUNK;
const CACHED = LARGEST_CACHED;

/**
 * The main arena of glibc's malloc as one thread sees it, chunk for chunk: thread cache, fast bins, unsorted list, small
 * and large bins, top, trim, and mappings for large chunks.
 *
 * **Touched** is what C writes: the size field and the program's bytes of a chunk that is handed out, size field, links
 * and footer of one that comes to be free, the size field of the top, and the thread cache's table.
 */
class Glibc implements Allocator {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly arena: Arena;
  private readonly chunks: LeaChunks;
  private readonly caches: Caches;
  private readonly mapped: MappedChunks;
  private readonly options: GlibcOptions;
  /** Page of the arena's state, 0 before the first request. */
  private state: Address;

  constructor(space: AddressSpace, options: GlibcOptions) {
    this.space = space;
    this.costs = space.costs;
    this.chunks = new LeaChunks(space, FIRST_POSITION);
    const largestFast = options.mxfast === 0 ? 1 : (options.mxfast + 8) >> 4;
    this.caches = new Caches(this.chunks, space.costs, options.tcacheCount, largestFast);
    this.arena = new Arena(space, this.chunks, this.caches, options);
    this.mapped = new MappedChunks(space, 8, 0);
    this.options = options;
    this.state = 0;
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size > LARGEST || (this.state === 0 && !this.start())) return none;
    const need = granulesFor(size);
    if (alignment > GRANULE) return this.allocateAligned(need, size, alignment);
    if (need <= CACHED && this.caches.counts[need] > 0) return this.chunks.handOut(this.caches.take(need), size);
    const at = this.arena.take(need);
    return at > 0 ? this.chunks.handOut(at, size) : at < 0 ? this.map(need, size, GRANULE) : none;
  }

  free(ref: Ref): void {
    if (!this.chunks.holds(ref)) {
      this.freeMapped(ref);
      return;
    }
    const at = this.chunks.positionOf(ref);
    this.arena.release(at, this.chunks.head[at]);
  }

  /** The C function frees a block that is reallocated to 0 bytes; here it becomes the smallest chunk. */
  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return none;
    const need = granulesFor(size);
    if (!this.chunks.holds(ref)) return this.reallocateMapped(ref, need, size);
    const at = this.chunks.positionOf(ref);
    const { head } = this.chunks;
    const before = head[at];
    const next = at + before;
    let total = before;
    if (before < need) {
      const { top } = this.arena;
      if (next === top && this.chunks.brk.end - at >= need + SMALLEST) {
        this.costs[Cost.coalesces] += 1;
        this.chunks.use(at, need);
        this.arena.moveTop(at + need);
        return this.chunks.handOut(at, size);
      }
      if (next === top || head[next] > 0 || before - head[next] < need) return this.relocate(ref, need, size);
      this.costs[Cost.coalesces] += 1;
      total -= head[next];
      this.arena.bins.unlink(next);
    }
    this.arena.shrink(at, total, need);
    return this.chunks.handOut(at, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    if (!this.chunks.holds(ref)) return this.mapped.capacityOf(ref);
    return this.chunks.capacityOf(ref);
  }

  walk(map: HeapMap): void {
    if (this.state === 0) return;
    map.add(this.state, this.space.pageSize, Kind.meta);
    this.mapped.walk(map);
    const { chunks } = this;
    const { start, end, high } = chunks.brk;
    if (end === start) return;
    const { top } = this.arena;
    const cached = new Set<number>();
    this.caches.forEach((at) => void cached.add(at));
    // The first chunk is the thread cache's table.
    chunks.walk(map, top, (at) => (at === start ? Kind.header : cached.has(at) ? Kind.free : Kind.live));
    const last = chunks.addressAt(end) - 8;
    const fresh = Math.min(chunks.addressAt(Math.max(top, high)), last);
    map.add(chunks.addressAt(top), fresh - chunks.addressAt(top), Kind.free);
    map.add(fresh, last - fresh, Kind.fresh);
  }

  /** Before the first request: the arena's state, and the thread cache's table as the first chunk (tcache_init). */
  private start(): boolean {
    const state = this.space.map(STATE_BYTES, this.space.pageSize, Use.meta);
    if (state === 0) return false;
    const at = this.arena.take(TCACHE_CHUNK);
    if (at <= 0) {
      this.space.unmap(state, STATE_BYTES);
      return false;
    }
    this.state = state;
    this.chunks.brk.touch(at, 8, 8 + 640);
    return true;
  }

  /** A mapping of its own; where there is no memory for one, the heap grows after all. */
  private map(need: number, size: number, alignment: number): Ref {
    const at = this.mapped.map(need * GRANULE, size, alignment);
    if (at !== 0) {
      this.arena.mapped++;
      return at as Ref;
    }
    return alignment === GRANULE && this.arena.growTop(need)
      ? this.chunks.handOut(this.arena.takeFromTop(need), size)
      : none;
  }

  private relocate(ref: Ref, need: number, size: number): Ref {
    const at = this.chunks.positionOf(ref);
    const before = this.chunks.head[at];
    const moved = this.arena.take(need);
    if (moved === 0) return none;
    if (moved === at + before) {
      // The new chunk is the one behind: they become one.
      this.arena.shrink(at, before + this.chunks.head[moved], need);
      return this.chunks.handOut(at, size);
    }
    const copy = moved > 0 ? this.chunks.handOut(moved, size) : this.map(need, size, GRANULE);
    if (copy === none) return none;
    this.costs[Cost.bytesCopied] += before * GRANULE - 8;
    this.arena.release(at, before);
    return copy;
  }

  private reallocateMapped(ref: Ref, need: number, size: number): Ref {
    const moved = this.mapped.remap(ref, need * GRANULE, size);
    if (moved !== 0) return moved as Ref;
    const copy = this.allocate(size);
    if (copy === none) return none;
    this.costs[Cost.bytesCopied] += this.mapped.capacityOf(ref);
    this.mapped.unmap(ref);
    this.arena.mapped--;
    return copy;
  }

  private freeMapped(ref: Ref): void {
    const bytes = this.mapped.unmap(ref);
    this.arena.mapped--;
    // The size field is compared with its flag for mapped chunks, so 32 MiB are beyond the largest threshold.
    if (!this.options.dynamic || bytes < this.arena.mmapThreshold * GRANULE || bytes >= LARGEST_THRESHOLD) return;
    this.arena.mmapThreshold = bytes * PER_GRANULE;
    this.arena.trimThreshold = 2 * this.arena.mmapThreshold;
  }

  /** Takes a chunk with room for any alignment, and frees what lies in front and behind (_int_memalign). */
  private allocateAligned(need: number, size: number, alignment: number): Ref {
    const step = alignment * PER_GRANULE;
    // The chunk's size is asked for as if it were a request, so that a header comes on top.
    const worst = need + step + SMALLEST + HEADER;
    const start = this.arena.take(worst);
    if (start === 0) return none;
    if (start < 0) return this.map(worst, size, alignment);
    let at = start;
    let total = this.chunks.head[start];
    const lead = this.chunks.leadOf(at, step);
    if (lead > 0) {
      at += lead;
      total -= lead;
      this.costs[Cost.splits] += 1;
      this.arena.splitInUse(start, lead, total);
      this.arena.release(start, lead);
    }
    if (total > need + SMALLEST) this.arena.shrink(at, total, need);
    return this.chunks.handOut(at, size);
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
