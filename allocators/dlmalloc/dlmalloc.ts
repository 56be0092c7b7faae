import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { GRANULE as BYTES, granulesFor, LARGEST_REQUEST, type LeaChunks, MIN_CHUNK } from "../lea-chunks.js";
import { MappedChunks } from "../mapped-chunks.js";
import { relocate } from "../relocate.js";
import { FIRST_TREE } from "./bins.js";
import { FOOT, Heap } from "./heap.js";

/** Options of `dlmalloc`, after its mallopt parameters; sizes in bytes. */
export interface DlmallocOptions {
  granularity: number;
  trimThreshold: number;
  mmapThreshold: number;
}

const options: OptionTable<DlmallocOptions> = {
  granularity: {
    kind: "bytes",
    min: 4096,
    max: 1 << 30,
    default: 65536,
    help: "the heap grows and shrinks by multiples of this, in whole pages",
  },
  trimThreshold: {
    kind: "bytes",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    default: 2097152,
    help: "a top larger than this is cut to one granularity",
  },
  mmapThreshold: {
    kind: "bytes",
    min: 4096,
    max: Number.POSITIVE_INFINITY,
    default: 262144,
    help: "chunks from this size on are mapped on their own where the heap would have to grow",
  },
};

const GRANULE = BYTES;
const PER_GRANULE = 1 / GRANULE;
const SMALLEST = MIN_CHUNK;
const LARGEST = LARGEST_REQUEST;
/** Bytes of a mapping beyond its chunk (six words and the alignment less one), and of its foot (MMAP_FOOT_PAD). */
const MAP_EXTRA = 63;
const MAP_FOOT = 32;
/** The state's bins and parameters: less than a page. */
const STATE_BYTES = 1024;

/**
 * Doug Lea's malloc over a contiguous heap: exact lists for small chunks, best fit from tries for larger ones, a
 * designated victim that small requests in a row are cut from, immediate coalescing, and the top last. As the heap is one segment, there are none to be
 * released by the check that comes with every 4095th free.
 *
 * **Touched** is what C writes: the size field and the program's bytes of a chunk that is handed out, size field, links
 * and footer of one that comes to be free, the size fields of the top and of the record behind it.
 */
class Dlmalloc implements Allocator {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly heap: Heap;
  private readonly chunks: LeaChunks;
  private readonly mapped: MappedChunks;
  /** In granules. */
  private readonly unit: number;
  private readonly mmapThreshold: number;
  /** Page of the state, 0 before the first request. */
  private state: Address;

  constructor(space: AddressSpace, given: DlmallocOptions) {
    this.space = space;
    this.costs = space.costs;
    this.mapped = new MappedChunks(space, MAP_EXTRA, MAP_FOOT);
    this.unit = Math.ceil(given.granularity / space.pageSize) * space.pageSize * PER_GRANULE;
    this.heap = new Heap(space, this.unit, given.trimThreshold * PER_GRANULE);
    this.chunks = this.heap.chunks;
    this.mmapThreshold = given.mmapThreshold * PER_GRANULE;
    this.state = 0;
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size > LARGEST || (this.state === 0 && !this.start())) return none;
    const need = granulesFor(size);
    if (alignment > GRANULE) return this.allocateAligned(need, size, alignment);
    const at = this.heap.take(need);
    return at > 0 ? this.chunks.handOut(at, size) : this.extend(need, size, GRANULE);
  }

  free(ref: Ref): void {
    if (!this.chunks.holds(ref)) {
      this.mapped.unmap(ref);
      return;
    }
    const at = this.chunks.positionOf(ref);
    if (this.heap.release(at, this.chunks.head[at])) this.heap.trim();
  }

  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return none;
    const need = granulesFor(size);
    const inHeap = this.chunks.holds(ref);
    const moved = inHeap
      ? this.heap.resize(this.chunks.positionOf(ref), need)
        ? ref
        : 0
      : this.remap(ref, need, size);
    if (moved !== 0) return inHeap ? this.chunks.handOut(this.chunks.positionOf(ref), size) : (moved as Ref);
    return relocate(this, this.costs, ref, this.capacityOf(ref), size);
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
    const { top } = this.heap;
    if (end === start) return;
    chunks.walk(map, top, () => Kind.live);
    const fresh = Math.min(Math.max(top, high), end - FOOT);
    map.add(chunks.addressAt(top), (fresh - top) * GRANULE, Kind.free);
    map.add(chunks.addressAt(fresh), (end - FOOT - fresh) * GRANULE, Kind.fresh);
    map.add(chunks.addressAt(end - FOOT), FOOT * GRANULE - 8, Kind.header);
  }

  private start(): boolean {
    this.state = this.space.map(STATE_BYTES, this.space.pageSize, Use.meta);
    return this.state !== 0;
  }

  /** A mapping for a large chunk, or a heap that grows (sys_alloc). */
  private extend(need: number, size: number, alignment: number): Ref {
    if (need >= this.mmapThreshold && this.heap.topSize() > 0) {
      const at = this.mapped.map(need * GRANULE, size, alignment);
      if (at !== 0) return at as Ref;
    }
    if (!this.heap.growTop(need)) return none;
    return this.chunks.handOut(this.heap.takeFromTop(need), size);
  }

  /** mmap_resize: a mapping is kept while it is at most two granularities too large, and never made small. */
  private remap(ref: Ref, need: number, size: number): Address {
    if (need < FIRST_TREE) return 0;
    const spare = this.mapped.capacityOf(ref) + GRANULE - need * GRANULE;
    if (spare >= 8 && spare <= 2 * this.unit * GRANULE) {
      this.space.touch(ref, size);
      return ref;
    }
    return this.mapped.remap(ref, need * GRANULE, size);
  }

  /** Takes a chunk with room for any alignment, and frees what lies in front and behind (internal_memalign). */
  private allocateAligned(need: number, size: number, alignment: number): Ref {
    const step = alignment * PER_GRANULE;
    const worst = need + step + SMALLEST;
    let start = this.heap.take(worst);
    if (start === 0) {
      const made = this.extend(worst, 0, alignment);
      if (made === none) return none;
      if (!this.chunks.holds(made)) {
        this.space.touch(made, size);
        return made;
      }
      start = this.chunks.positionOf(made);
    }
    let at = start;
    let total = this.chunks.head[start];
    const lead = this.chunks.leadOf(at, step);
    if (lead > 0) {
      at += lead;
      total -= lead;
      this.costs[Cost.splits] += 1;
      this.chunks.use(start, lead);
      this.chunks.use(at, total);
      if (at >= this.chunks.brk.resident) this.chunks.brk.touch(at, 8, 8);
      this.heap.release(start, lead);
    }
    if (total > need + SMALLEST) this.heap.shrink(at, total, need);
    return this.chunks.handOut(at, size);
  }
}

/** Doug Lea's malloc 2.8, the ancestor of glibc's and the preset that embedders still use. */
export const dlmalloc: AllocatorSpec<DlmallocOptions> = {
  name: "dlmalloc",
  title: "dlmalloc 2.8 (Doug Lea)",
  source: "Doug Lea, malloc.c 2.8.6: dlmalloc, dlfree, tmalloc_small, tmalloc_large, sys_alloc, sys_trim",
  indirect: false,
  alignment: GRANULE,
  options,
  defaults: defaultsOf(options),
  variants: [
    { granularity: 4096, trimThreshold: 65536 },
    { mmapThreshold: Number.POSITIVE_INFINITY, trimThreshold: Number.POSITIVE_INFINITY },
    { mmapThreshold: 16384, trimThreshold: 0 },
  ],
  create: (space, given) => new Dlmalloc(space, resolveOptions("dlmalloc", options, given)),
};
