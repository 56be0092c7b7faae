import type { Address, AddressSpace } from "../../memory/address-space.js";
import type { HeapMap } from "../../memory/heap-map.js";
import type { Allocator, AllocatorSpec, ArenaPlacement, Ref } from "../allocator.js";
import { type Families, outerHeap, withClockOf } from "../outer.js";
import { relocate } from "../relocate.js";
import { firstFit } from "../sequential-fit/first-fit.js";
import { ArenaTable } from "./arena-table.js";
import { fitClasses, type Geometry, resolveGeometry } from "./geometry.js";
import { type PymallocOptions, pymallocDefaults, pymallocOptions } from "./options.js";
import { PoolTable, PoolWord, RECORD_BITS } from "./pool-table.js";
import type { PymallocState } from "./state.js";
import { walkArenas } from "./walk.js";

// Constants of this module cost less in hot code than imported ones: 1 ns of 20.
const RECORD = RECORD_BITS;
const { freeHead: FREE_HEAD, count: COUNT, carved: CARVED, next: NEXT, touched: TOUCHED } = PoolWord;

/** Bytes of the link that makes a block free: C writes it when it carves a block, ahead of its use. */
const LINK_BYTES = 8;

/**
 * CPython's small-object allocator (Objects/obmalloc.c), block for block. Requests of 1 to 512 bytes (`threshold`) come from
 * pools of one size class each, pools from arenas; all others, and any request for more than the alignment, go to the
 * outer heap that stands for the C library, as do small ones when no arena can be had.
 *
 * The list of a pool's free blocks ends with one block carved ahead of its use; when the list becomes empty, a block is
 * carved or the pool is full. Memory is written for the first time only there and when a pool is opened: every other
 * block that is handed out was handed out before, to a request that reached its last granule and so all its pages.
 */
class Pymalloc implements Allocator, ArenaPlacement, PymallocState {
  readonly geometry: Geometry;
  readonly pools: PoolTable;
  readonly arenas: ArenaTable;
  private readonly space: AddressSpace;
  private readonly large: Allocator;
  /** Largest request whose class a shift gives: the threshold, or 0 where classes do not step by the alignment. */
  private readonly evenly: number;
  private readonly classShift: number;
  /** Addresses from `base` on, `reserved` bytes of them, are in pools. */
  private readonly base: Address;
  private readonly reserved: number;
  private readonly align: number;
  private readonly perAlign: number;
  /** Granules of a pool, 1 << poolShift. */
  private readonly poolGranules: number;
  private readonly poolShift: number;
  private readonly pageMask: number;

  constructor(space: AddressSpace, geometry: Geometry, outer: () => Allocator) {
    this.space = space;
    this.geometry = geometry;
    this.pools = new PoolTable(geometry);
    this.arenas = new ArenaTable(space, geometry, this.pools);
    // Behind the arenas, whose reservation is the first thing in the address space.
    this.large = outer();
    this.evenly = geometry.sizes.length === geometry.classes ? geometry.threshold : 0;
    this.classShift = geometry.alignBits;
    this.base = this.arenas.base;
    this.reserved = this.arenas.reserved;
    this.align = geometry.align;
    this.perAlign = 1 / geometry.align;
    this.poolShift = geometry.poolBits - geometry.alignBits;
    this.poolGranules = 1 << this.poolShift;
    this.pageMask = space.pageSize - 1;
  }

  allocate(size: number, alignment = 0): Ref {
    if (size > this.evenly || size < 1 || alignment > this.align) return this.allocateOther(size, alignment);
    return this.takeBlock((size - 1) >> this.classShift, size);
  }

  /** The next block of a class: of the first pool in its list, else of a free pool. */
  private takeBlock(sizeClass: number, size: number): Ref {
    const pools = this.pools;
    const pool = pools.used[sizeClass];
    if (pool < 0) return this.allocateFromFreePool(sizeClass, size);
    const records = pools.records;
    const at = pool << RECORD;
    const block = records[at + FREE_HEAD];
    const granule = (pool << this.poolShift) + block;
    const next = pools.link[granule];
    // All bits where that was the last free block: as good as random where a class has several pools, most of them full. So
    // a full pool is taken off its list without a branch. No touch: the last block of a pool is all in the page that its
    // link was written to when it was carved.
    const last = (next - 1) >> 31;
    records[at + FREE_HEAD] = next;
    records[at + COUNT]++;
    if ((last & (records[at + CARVED] + sizeClass - this.poolGranules)) < 0) this.carve(pool, sizeClass);
    else pools.used[sizeClass] = (pool + (last & (records[at + NEXT] - pool))) | 0;
    return (this.base + granule * this.align) as Ref;
  }

  free(ref: Ref): void {
    const offset = ref - this.base;
    if (offset < 0 || offset >= this.reserved) {
      this.large.free(ref);
      return;
    }
    const pools = this.pools;
    const granule = (offset * this.perAlign) | 0;
    const pool = granule >> this.poolShift;
    const records = pools.records;
    const at = pool << RECORD;
    const next = records[at + FREE_HEAD];
    const count = records[at + COUNT] - 1;
    pools.link[granule] = next;
    records[at + FREE_HEAD] = granule & (this.poolGranules - 1);
    records[at + COUNT] = count;
    if (next === 0) pools.list(pool);
    else if (count === 0) {
      pools.unlist(pool);
      this.arenas.givePool(pool);
    }
  }

  reallocate(ref: Ref, size: number): Ref {
    if (!this.isSmall(ref)) return this.large.reallocate(ref, Math.max(1, size));
    const capacity = this.capacityOf(ref);
    // A block that would shrink by a quarter or more moves, even to another of the same class.
    if (size <= capacity && 4 * size > 3 * capacity) return ref;
    return relocate(this, this.space.costs, ref, capacity, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    if (!this.isSmall(ref)) return this.large.capacityOf(ref);
    return (this.pools.get(this.poolOf(ref), PoolWord.sizeClass) + 1) * this.align;
  }

  placementOf(ref: Ref): { arena: number; offset: number } | undefined {
    if (!this.isSmall(ref)) return undefined;
    const slot = this.arenas.slotOf(this.poolOf(ref));
    return { arena: this.arenas.ordinal[slot], offset: ref - this.arenas.baseOf(slot) };
  }

  walk(map: HeapMap): void {
    walkArenas(this, map);
    this.arenas.walk(map);
    this.large.walk(map);
  }

  private isSmall(ref: Ref): boolean {
    const offset = ref - this.base;
    return offset >= 0 && offset < this.reserved;
  }

  private poolOf(ref: Ref): number {
    return ((ref - this.base) * this.perAlign) >> this.poolShift;
  }

  /** What is too large for pools or aligned to more than they are, and classes that a table gives: it is slower than a shift. */
  private allocateOther(size: number, alignment: number): Ref {
    const { threshold, classOf, align } = this.geometry;
    if (size >= 1 && size <= threshold && alignment <= align) return this.takeBlock(classOf[size], size);
    // The C library is asked for 1 byte where the program asks for none.
    return alignment > this.align
      ? this.large.allocate(Math.max(1, size), alignment)
      : this.large.allocate(Math.max(1, size));
  }

  private allocateFromFreePool(sizeClass: number, size: number): Ref {
    const pool = this.arenas.takePool();
    if (pool < 0) return this.large.allocate(size);
    const block = this.pools.open(pool, sizeClass);
    this.touchTo(pool, (this.geometry.headerGranules + sizeClass + 1) * this.align + LINK_BYTES);
    return (this.base + ((pool << this.poolShift) + block) * this.align) as Ref;
  }

  /** The free list of a pool is empty: carves one block more. */
  private carve(pool: number, sizeClass: number): void {
    const { records, link } = this.pools;
    const at = pool << RECORD;
    const carved = records[at + CARVED];
    link[(pool << this.poolShift) + carved] = 0;
    records[at + FREE_HEAD] = carved;
    records[at + CARVED] = carved + sizeClass + 1;
    this.touchTo(pool, carved * this.align + LINK_BYTES);
  }

  /** The first `bytes` of a pool have been written; from the start on, so the pages touched are a prefix of it. */
  private touchTo(pool: number, bytes: number): void {
    const { records } = this.pools;
    const at = (pool << RECORD) + TOUCHED;
    const touched = records[at];
    if (bytes <= touched) return;
    this.space.touch(this.base + (pool << this.poolShift) * this.align + touched, bytes - touched);
    records[at] = (bytes + this.pageMask) & ~this.pageMask;
  }
}

/** A pymalloc heap: the contract, arena placements, and its tables for statistics and dumps. */
export type PymallocAllocator = Allocator & ArenaPlacement & PymallocState;

/** Whether an allocator is a pymalloc heap, whose tables `statistics.ts` and `dump.ts` can read. */
export function isPymalloc(allocator: Allocator): allocator is PymallocAllocator {
  return allocator instanceof Pymalloc;
}

export interface PymallocSpec extends AllocatorSpec<PymallocOptions> {
  create(space: AddressSpace, options?: Partial<PymallocOptions>): PymallocAllocator;
}

/** A pymalloc heap of any geometry, with first fit behind it: for the arenas of a process, which start where the system put them. */
export function pymallocWith(space: AddressSpace, geometry: Geometry): PymallocAllocator {
  return new Pymalloc(space, geometry, () => firstFit.create(space));
}

/**
 * CPython's small-object allocator, 3.7 to 3.14, over any of the `families` for large requests. Blocks start at multiples
 * of 16, under variant cpython-3.7 of 8.
 */
export const pymallocOver = (families: Families): PymallocSpec => ({
  name: "pymalloc",
  title: "CPython pymalloc",
  source: "CPython, Objects/obmalloc.c: pymalloc_alloc, pymalloc_free, pymalloc_realloc, new_arena (3.7.3 to 3.14)",
  indirect: false,
  alignment: 8,
  options: pymallocOptions,
  defaults: pymallocDefaults,
  variants: [
    { variant: "cpython-3.7", step: 24, domain: "mem" },
    { variant: "cpython-3.8", base: "m16", arena: 65536, choose: "emptiest", keep: "yes", outer: "buddy" },
    { variant: "cpython-3.9", base: "mixed" },
    { variant: "cpython-3.11", base: "page" },
    { pool: 4096, arena: 65536, base: "mixed", choose: "address", threshold: 256 },
    { pool: 65536, arena: 262144, align: 8, choose: "oldest", misalign: 8, keep: "no" },
    { spacing: "geometric", threshold: 2048, perDoubling: 2, pool: 8192, arena: 65536, outer: "bump/growth=4096" },
    { spacing: "listed", sizes: "16+48+400", threshold: 400, pool: 4096, arena: 16384, outer: "pymalloc/align=8" },
    { domain: "raw", outer: "first-fit/wilderness=preserved" },
  ],
  fit: fitClasses,
  create(space, options) {
    const selector = options?.outer ?? pymallocDefaults.outer;
    const heaps: Allocator[] = [];
    const heap = new Pymalloc(space, resolveGeometry(options), () => {
      const outer = outerHeap("pymalloc", "outer", selector, families, space);
      heaps.push(outer);
      return outer;
    });
    return withClockOf(heap, ...heaps);
  },
});

/** pymalloc on its own: only first fit can serve the large requests. */
export const pymalloc: PymallocSpec = pymallocOver(() => ({ "first-fit": firstFit }));
